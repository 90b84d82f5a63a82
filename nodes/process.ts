/**
 * Nodes as processes of this host, for where there is no container engine. Each has a folder of its own in the
 * worker's state, named by run, launch and node, with its log and what its keeper writes down (keeper.ts). The worker
 * remembers nothing: whatever it says of a node, it reads there.
 *
 * A process is no container: read-only data, resource limits and separate networks are not enforced here.
 */
import { watch } from 'node:fs';
import { access, constants, readdir, rm, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeRef } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { Alarm } from './alarm';
import { readClaim, readExit, startKeeper, writeExit } from './keeper';
import { readNodeRef } from './node-ref';
import type { AbsentNode, ExitedNode, NodeCondition, NodeRuntime, NodeSpec } from './node-runtime';
import { isGroupRunning, isRunning, signalGroup, type ProcessId } from './process-table';
import { followFile, lastLines, tailOf } from './tail';

const KILLED = 128 + 9;
/** A keeper that is killed leaves no trace in its folder, so it is looked for now and then. */
const LOOK_EVERY_MS = 1000;
const LOOK_EVERY_WITHOUT_WATCH_MS = 100;
/** Nobody is told of each line that a node writes; who follows it looks this often. */
const READ_EVERY_MS = 250;

/** Runs nodes as processes and keeps what is known of them below `stateDir`. */
export function createProcessRuntime({ stateDir }: { stateDir: string }): NodeRuntime {
  const root = join(stateDir, 'nodes');
  const folderOf = ({ runId, launchId, node }: NodeRef) => join(root, `${runId}.${launchId}.${node}`);
  // The keeper's files have a folder of their own: watching it, nobody is woken by every line of the log.
  const keeperFolder = (ref: NodeRef) => join(folderOf(ref), 'keeper');
  const logFile = (ref: NodeRef) => join(folderOf(ref), 'log');

  async function inspect(ref: NodeRef): Promise<NodeCondition> {
    const folder = keeperFolder(ref);
    const claim = await readClaim(folder);
    if (claim === undefined) return { state: 'absent' };
    const { keeper, at } = claim;
    const id = keeper === undefined ? 'unknown' : String(keeper.pid);
    const mayRun = (await readExit(folder)) === undefined && keeper !== undefined;
    if (mayRun && (await isRunning(keeper))) return { state: 'running', id, startedAt: at };
    // Read again: the keeper may have written it and ended since.
    const exit = await readExit(folder);
    return {
      state: 'exited',
      id,
      exitCode: exit?.code,
      startedAt: at,
      endedAt: exit?.at ?? at,
      outOfMemory: false,
    };
  }

  async function list(): Promise<NodeRef[]> {
    const names = await readdir(root).catch(() => []);
    return names.flatMap((name) => {
      const [runId, launchId, node] = name.split('.');
      return readNodeRef({ runId, launchId, node }) ?? [];
    });
  }

  async function stop(ref: NodeRef, graceMs: number) {
    const keeper = (await readClaim(keeperFolder(ref)))?.keeper;
    if (keeper === undefined || !(await isGroupRunning(keeper))) return { wasRunning: false, forced: false };
    signalGroup(keeper, 'SIGTERM');
    if (await hasEnded(keeper, graceMs)) return { wasRunning: true, forced: false };
    signalGroup(keeper, 'SIGKILL');
    await hasEnded(keeper, Infinity);
    await writeExit(keeperFolder(ref), KILLED);
    return { wasRunning: true, forced: true };
  }

  async function remove(ref: NodeRef): Promise<void> {
    await stop(ref, 0);
    // Others may be removing it too, or be writing down its end.
    await rm(folderOf(ref), { recursive: true, force: true, maxRetries: 3 });
  }

  async function removeOtherLaunches({ runId, launchId, node }: NodeRef): Promise<void> {
    const others = (await list()).filter(
      (other) => other.runId === runId && other.node === node && other.launchId !== launchId,
    );
    await Promise.all(others.map(remove));
  }

  async function wait(ref: NodeRef, signal: AbortSignal): Promise<ExitedNode | AbsentNode> {
    const alarm = new Alarm();
    const watcher = watchFolder(keeperFolder(ref), alarm.ring);
    signal.addEventListener('abort', alarm.ring);
    try {
      for (;;) {
        signal.throwIfAborted();
        const condition = await inspect(ref);
        if (condition.state !== 'running') return condition;
        await alarm.sleep(watcher === undefined ? LOOK_EVERY_WITHOUT_WATCH_MS : LOOK_EVERY_MS);
      }
    } finally {
      signal.removeEventListener('abort', alarm.ring);
      watcher?.close();
    }
  }

  async function* follow(ref: NodeRef, cursor: string | undefined, signal: AbortSignal) {
    if (!(await exists(logFile(ref)))) return;
    const alarm = new Alarm();
    const left = new AbortController();
    let ended = false;
    const settled = () => {
      ended = true;
      alarm.ring();
    };
    wait(ref, AbortSignal.any([signal, left.signal])).then(settled, settled);
    const pause = async () => {
      signal.throwIfAborted();
      await alarm.sleep(READ_EVERY_MS);
    };
    try {
      yield* followFile(logFile(ref), Number(cursor ?? 0), () => ended, pause);
      signal.throwIfAborted();
    } finally {
      left.abort();
    }
  }

  return {
    kind: 'process',
    inspect,
    list,
    stop,
    remove,
    wait,
    follow,
    async ensure(spec) {
      await removeOtherLaunches(spec);
      const found = await inspect(spec);
      if (found.state !== 'absent') return found;
      const task = { folder: keeperFolder(spec), logFile: logFile(spec), ...(await taskOf(spec)) };
      const trouble = await startKeeper(task).then(
        () => `nothing could be written to ${task.folder}`,
        String,
      );
      const started = await inspect(spec);
      if (started.state !== 'absent') return started;
      // What kept the node from starting may keep its folder from being removed, too.
      await remove(spec).catch(() => undefined);
      throw failure('NodeNotStarted', `The node ${spec.node} could not be started: ${trouble}`);
    },
    logs: async (ref, lines) => lastLines(await tailOf(logFile(ref)), lines),
  };
}

/** Resolves to whether the group of `leader` ended in time. */
async function hasEnded(leader: ProcessId, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (let pause = 5; await isGroupRunning(leader); pause = Math.min(pause * 2, 100)) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(pause, left));
  }
  return true;
}

/** Watching can fail, for one because a host allows only so many watchers: then the folder is looked at instead. */
function watchFolder(folder: string, changed: () => void) {
  try {
    return watch(folder, changed).on('error', changed);
  } catch {
    return undefined;
  }
}

async function taskOf(spec: NodeSpec) {
  const { folder } = spec;
  if (folder === undefined) {
    throw failure(
      'ImageMissing',
      `The node ${spec.node} has no computation folder to run from as a process.`,
    );
  }
  if (!(await isFolder(folder))) {
    throw failure('ImageMissing', `The computation's folder ${folder} is not there on this host.`);
  }
  return { cwd: folder, command: await findCommand(spec.command, folder), env: environmentOf(spec) };
}

/**
 * The command with its program as a path, found as a shell would find it. One that is not found gets a path too, for
 * the keeper to fail on: a bare name could be a builtin of its shell.
 */
async function findCommand([program = '', ...args]: readonly string[], folder: string): Promise<string[]> {
  const places = program.includes('/') ? [] : (process.env.PATH ?? '').split(delimiter);
  for (const place of places) {
    const path = resolve(folder, place, program);
    if (await isProgram(path)) return [path, ...args];
  }
  return [resolve(folder, program), ...args];
}

/**
 * What a node gets to see of the environment: what the computation contract names, what was asked for it, and the
 * few variables that programs need to find their way. The rest of the worker's environment holds secrets.
 */
function environmentOf({ folders, env }: NodeSpec): Record<string, string> {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  const { kit, data, output, provision } = folders;
  const given = {
    PATH,
    HOME,
    LANG,
    TMPDIR,
    RUN_KIT_DIR: kit,
    PARAMETERS_FILE_PATH: kit === undefined ? undefined : join(kit, 'parameters.json'),
    DATA_DIR: data,
    OUTPUT_DIR: output,
    PROVISION_DIR: provision,
    ...env,
  };
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
