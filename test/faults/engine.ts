/**
 * A container engine of one's own, beside that of the machine, which is left alone: with folders, a socket and a network
 * namespace of its own, for an engine takes the bridges of every other one for its own. It keeps its containers over a restart (`live-restore`), as one does that is meant to be reliable.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../../dev/part';
import { findOnPath } from '../../dev/programs';
import { connectEngine, engineAnswers } from '../../nodes';
import { ask } from '../../nodes/engine';

const run = promisify(execFile);

const POLL_MS = 50;

export interface OwnEngine {
  part: Part;
  /** Takes away what outlasts the engine; to be called while it still runs. */
  empty: () => Promise<void>;
  /** To be called when it has ended. */
  remove: () => Promise<void>;
}

/** Why this machine and user cannot have one; `undefined` where they can. */
export async function whyNoEngine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can run an engine of its own';
  for (const program of ['dockerd', 'ip', 'nsenter'])
    if ((await findOnPath(program)) === undefined) return `${program} is not installed`;
  return undefined;
}

/** An engine below `root`. From now on until it is removed it is the engine that this process and what it starts find. */
export async function ownEngine(root: string): Promise<OwnEngine> {
  const folder = join(root, 'engine');
  const at = (name: string) => join(folder, name);
  await mkdir(folder);
  await writeFile(at('daemon.json'), '{}');
  const network = `muster-faults-${process.pid}`;
  await run('ip', ['netns', 'add', network]);
  await run('ip', ['-n', network, 'link', 'set', 'lo', 'up']);
  const before = process.env.DOCKER_HOST;
  const address = `unix://${at('docker.sock')}`;
  process.env.DOCKER_HOST = address;
  const part: Part = {
    name: 'docker',
    command: [
      'nsenter',
      ...[`--net=/run/netns/${network}`, 'dockerd'],
      ...['--host', address, '--pidfile', at('docker.pid')],
      ...['--data-root', at('data'), '--exec-root', at('exec')],
      ...['--config-file', at('daemon.json'), '--log-level', 'warn', '--live-restore'],
    ],
    env: {},
    address,
    logFile: at('log'),
    ready: async ({ signal }) => {
      while (!(await engineAnswers(connectEngine()))) await sleep(POLL_MS, undefined, { signal });
    },
  };
  return {
    part,
    async empty() {
      const engine = connectEngine();
      const containers = await ask(engine.listContainers({ all: true }));
      await Promise.all(containers.map(({ Id }) => engine.getContainer(Id).remove({ force: true })));
      await engine.pruneNetworks();
    },
    async remove() {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
      await run('ip', ['netns', 'delete', network]);
      await unmountBelow(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An engine that keeps its containers leaves its folders mounted. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  const below = mounts.filter((path) => path.startsWith(`${folder}/`)).toReversed();
  for (const path of below) await run('umount', ['--lazy', path]);
}
