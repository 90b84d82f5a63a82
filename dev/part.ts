/** A part of a stack: one process, kept running from its start until it is stopped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { signalGroup } from '../nodes/process-table';
import { timeLimit } from '../time/limit';
import { Backoff } from './backoff';
import { PRIVATE } from './files';
import { LogTail } from './log-tail';
import type { Entry } from './roster';

const START_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;

/** What a part's readiness check may use: what the part has written since this start, and when to stop asking. */
export interface Starting {
  log: LogTail;
  signal: AbortSignal;
}

/** A part of a stack: how it is started and how one knows that it serves. */
export interface Part {
  name: string;
  command: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** Where it is reached: an address, or a worker's task queue. */
  address: string;
  logFile: string;
  /** Resolves once the part serves. */
  ready: (starting: Starting) => Promise<void>;
  /** Removes what may outlast the process; called before each start and after each end. */
  sweep?: () => void;
}

/** A part did not come up, or not in time. */
export class PartError extends Error {
  override name = 'PartError';
}

/** One start of a part. */
interface Attempt {
  /** There while it runs. */
  pid: number | undefined;
  startedAt: number;
  log: LogTail;
  /** Resolves with how it ended. */
  ended: Promise<string>;
}

/** Leads a part through its life: start, restarts when it ends by itself, stop. */
export class SupervisedPart {
  private readonly stopping = new AbortController();
  private attempt: Attempt | undefined;
  private keeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly part: Part,
    private readonly say: (line: string) => void,
    private readonly changed: () => Promise<void>,
  ) {}

  /** Its entry in the roster, while it has a process. */
  get entry(): Entry | undefined {
    const { name, address } = this.part;
    return this.attempt?.pid === undefined ? undefined : { name, pid: this.attempt.pid, address };
  }

  /** Resolves when the part is ready; rejects when it ends before, is not ready in time or is no longer wanted. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { name, logFile } = this.part;
    mkdirSync(dirname(logFile), { recursive: true });
    rmSync(logFile, { force: true });
    const attempt = this.launch();
    await this.changed();
    const patience = timeLimit(START_TIMEOUT_MS);
    const failure = await this.endBeforeReady(attempt, AbortSignal.any([signal, patience])).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        if (patience.aborted) return `not ready after ${START_TIMEOUT_MS / 1000} s`;
        throw error;
      },
    );
    if (failure !== undefined)
      throw new PartError(`${name} did not start: ${await describe(failure, attempt)}; see ${logFile}`);
    this.keeping = this.keepUp(attempt);
  }

  /** Asks it to end, waits, then kills. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const { attempt } = this;
    if (attempt?.pid !== undefined) {
      signalGroup({ pid: attempt.pid }, 'SIGTERM');
      await Promise.race([attempt.ended, delay(STOP_GRACE_MS, undefined, { ref: false })]);
      this.kill();
      await attempt.ended;
    }
    await this.keeping;
  }

  /** Kills at once. */
  kill(): void {
    if (this.attempt?.pid === undefined) return;
    signalGroup({ pid: this.attempt.pid }, 'SIGKILL');
    this.part.sweep?.();
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private launch(): Attempt {
    const { command, env, logFile, sweep } = this.part;
    const [file, ...args] = command;
    sweep?.();
    const log = openSync(logFile, 'a', PRIVATE);
    const from = fstatSync(log).size;
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    const attempt: Attempt = {
      pid: child.pid,
      startedAt: Date.now(),
      log: new LogTail(logFile, from),
      ended: endOf(child).then((how) => {
        // What is left of its group goes with it now: later the number may belong to someone else.
        if (child.pid !== undefined) signalGroup({ pid: child.pid }, 'SIGKILL');
        attempt.pid = undefined;
        sweep?.();
        return how;
      }),
    };
    this.attempt = attempt;
    return attempt;
  }

  /** Resolves with how the part ended before it was ready, or with `undefined` once it is ready. */
  private async endBeforeReady(attempt: Attempt, signal: AbortSignal): Promise<string | undefined> {
    const decided = new AbortController();
    const ready = this.part.ready({ log: attempt.log, signal: AbortSignal.any([signal, decided.signal]) });
    try {
      return await Promise.race([ready.then(() => undefined), attempt.ended]);
    } finally {
      decided.abort();
    }
  }

  /** Starts the part again whenever it ends by itself, until it is to stop. */
  private async keepUp(attempt: Attempt): Promise<void> {
    const { signal } = this.stopping;
    const backoff = new Backoff();
    for (;;) {
      const how = await attempt.ended;
      if (this.isStopping()) return;
      await this.changed();
      if (this.isStopping()) return;
      const wait = backoff.next(Date.now() - attempt.startedAt);
      this.say(`${this.part.name} ended (${await describe(how, attempt)}); starting it again in ${wait} ms`);
      await delay(wait, undefined, { signal }).catch(() => undefined);
      if (this.isStopping()) return;
      attempt = this.launch();
      await this.changed();
      const ready = await this.endBeforeReady(attempt, signal).catch(() => 'stopped');
      if (ready === undefined) this.say(`${this.part.name} is up again`);
    }
  }
}

async function describe(how: string, { log }: Attempt): Promise<string> {
  const lastLine = await log.lastLine();
  return lastLine === '' ? how : `${how}: ${lastLine}`;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`));
  });
}
