/**
 * The local stack: Temporal, an object store, the central API and a central worker, as processes of this machine that
 * share one state folder. One process at a time owns a stack; others may attach to it and add parts of their own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from '../nodes/process-table';
import type { AccessClaims } from '../workflows/api-contract';
import { allowComputation, ensureComputationsFile, type AllowedComputation } from './computations-file';
import { endNodes } from './end-nodes';
import { tryLock, type Lock } from './lock';
import { ensureJoined } from './join-stack';
import type { Part } from './part';
import { edgeWorkerPart } from './parts';
import { choosePlace } from './place';
import { self, type ProcessIdentity } from './process-identity';
import { endOrphans, publishRoster, runningParts } from './roster';
import {
  loadSecrets,
  readStackFile,
  statePaths,
  writeStackFile,
  type Secrets,
  StackFile,
  type StatePaths,
} from './state';
import { startStack, type StackProgress } from './start-stack';
import { Supervisor } from './supervisor';
import { mintToken, WORKER_TOKEN_LIFETIME } from './tokens';

export type { StackProgress } from './start-stack';

const POLL_MS = 100;
const WATCH_MS = 500;

export interface StackOptions {
  /** The state folder. */
  state: string;
  /** Where results go instead of into the state folder; a stack that runs already keeps its own place for the central node's. */
  results?: string | undefined;
  progress: StackProgress;
  /** When it aborts while the stack starts, what was started is stopped again and the start rejects. */
  signal: AbortSignal;
  /** Use the stack that already runs in this state folder, if there is one. */
  attach?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** A stack runs in this state folder already. */
export class StackRunningError extends Error {
  override name = 'StackRunningError';

  constructor(
    readonly pid: number,
    state: string,
  ) {
    super(
      `A stack is already running in ${state} (pid ${pid}): stop it with Ctrl-C there, or name another folder with --state.`,
    );
  }
}

/** A stack that runs. */
export class Stack {
  private readonly gone = new AbortController();
  private readonly watching = new AbortController();

  constructor(
    private readonly parts: {
      paths: StatePaths;
      file: StackFile;
      secrets: Secrets;
      supervisor: Supervisor;
      end: () => Promise<void>;
      attached: boolean;
    },
  ) {
    if (parts.attached) void this.watchOwner();
  }

  get paths(): StatePaths {
    return this.parts.paths;
  }

  /** Whether the stack belongs to another process, and outlives this one. */
  get attached(): boolean {
    return this.parts.attached;
  }

  get temporal(): StackFile['temporal'] {
    return this.parts.file.temporal;
  }

  get objectStore(): StackFile['objectStore'] {
    return this.parts.file.objectStore;
  }

  get api(): StackFile['api'] {
    return this.parts.file.api;
  }

  /** Where the central worker keeps the results of runs, as `<runId>/<launchId>`. */
  get centralResults(): string {
    return this.parts.file.centralResults;
  }

  /** Aborts when the process that owns an attached stack has ended. */
  get ended(): AbortSignal {
    return this.gone.signal;
  }

  /** An access token with these claims; `lifetime` is like `12h` or `30d`. */
  mint(claims: AccessClaims, lifetime = WORKER_TOKEN_LIFETIME): Promise<string> {
    return mintToken(this.parts.secrets.api, claims, lifetime);
  }

  /** Lets the central worker run a computation; known from its next launch on. */
  allowComputation(entry: AllowedComputation): Promise<void> {
    return allowComputation(this.paths.computations, entry);
  }

  /** How sites reach the API and the gateway. */
  get sites(): StackFile['sites'] {
    return this.parts.file.sites;
  }

  /** Starts the edge worker of a site that has joined, by `siteFile` (site.yaml), and resolves when it is ready. */
  async startEdgeWorker(siteId: string, siteFile: string, signal: AbortSignal): Promise<void> {
    await ensureJoined(this, siteId);
    await this.startPart(edgeWorkerPart(this.paths, this.parts.file, { siteId, siteFile }), signal);
  }

  /** Starts a part of one's own, and resolves when it is ready. */
  async startPart(part: Part, signal: AbortSignal): Promise<void> {
    const running = (await runningParts(this.paths)).find(({ name }) => name === part.name);
    if (running !== undefined)
      throw new Error(`${part.name} is already running in ${this.paths.root} (pid ${running.pid}).`);
    await this.parts.supervisor.start(part, signal);
  }

  async stopPart(name: string): Promise<void> {
    await this.parts.supervisor.stop(name);
  }

  /** Stops what this process has started, the last part first: the whole stack, or what it added to another's. */
  async stop(): Promise<void> {
    this.watching.abort();
    await this.parts.end();
  }

  private async watchOwner(): Promise<void> {
    while (!this.watching.signal.aborted && (await isRunning(this.parts.file.supervisor))) {
      await delay(WATCH_MS, undefined, { ref: false });
    }
    this.gone.abort();
  }
}

/**
 * Starts a stack and resolves when all of it is up; or attaches to the one that runs, if that is wanted.
 * @throws StackRunningError, NotFoundError (a program cannot be had), PartError (a part does not come up)
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const { state, results, signal, attach = false } = options;
  const paths = statePaths(state, results);
  const lock = await tryLock(paths.lock);
  if (!('owner' in lock)) return ownStack(options, paths, lock);
  if (!attach) throw new StackRunningError(lock.owner.pid, paths.root);
  const file = await whenUp(paths, lock.owner, signal);
  return file === undefined ? openStack(options) : attachedStack(options, paths, file);
}

async function ownStack(
  { progress, signal, env = process.env }: StackOptions,
  paths: StatePaths,
  lock: Lock,
): Promise<Stack> {
  const supervisor = supervisorOf(paths, progress);
  const end = async () => {
    await supervisor.stopAll();
    for (const runId of await endNodes(paths))
      progress.notice(`Ended the nodes of ${runId}, which was under way`);
    await lock.release();
  };
  try {
    for (const { name, pid } of await endOrphans(paths)) {
      progress.notice(`Ended ${name} (pid ${pid}), which a stack that was killed had left behind`);
    }
    const secrets = await loadSecrets(paths);
    await ensureComputationsFile(paths.computations);
    const place = await choosePlace(paths, secrets, env);
    await startStack({ paths, place, secrets, supervisor, progress, signal, env });
    const file = StackFile.parse({
      supervisor: await self(),
      centralResults: paths.centralResults,
      ...place,
    });
    await writeStackFile(paths, file);
    return new Stack({ paths, file, secrets, supervisor, end, attached: false });
  } catch (error) {
    await end();
    throw error;
  }
}

async function attachedStack({ progress }: StackOptions, paths: StatePaths, file: StackFile): Promise<Stack> {
  await endOrphans(paths);
  const supervisor = supervisorOf(paths, progress);
  const end = () => supervisor.stopAll();
  return new Stack({ paths, file, secrets: await loadSecrets(paths), supervisor, end, attached: true });
}

function supervisorOf(paths: StatePaths, progress: StackProgress): Supervisor {
  return new Supervisor({
    say: (line) => progress.notice(line),
    changed: (entries) => publishRoster(paths, entries),
  });
}

/** What the stack of `owner` says of itself once it is up; `undefined` when its owner has ended. */
async function whenUp(
  paths: StatePaths,
  owner: ProcessIdentity,
  signal: AbortSignal,
): Promise<StackFile | undefined> {
  while (await isRunning(owner)) {
    signal.throwIfAborted();
    const file = await readStackFile(paths);
    if (file?.supervisor.pid === owner.pid && file.supervisor.started === owner.started) return file;
    await delay(POLL_MS);
  }
  return undefined;
}
