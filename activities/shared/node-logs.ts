/**
 * Keeps the log of every node that is watched here, and sends as much of it to the central API as the host's policy
 * allows. None of that can make a node fail: what goes wrong is logged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem, mayPass } from '../../client/errors';
import type { NodeRuntime } from '../../nodes';
import { timeLimit } from '../../time/limit';
import type { NodeRef } from '../../workflows/contract';
import { gather } from './gather';
import type { NodeHost } from './host';
import { KeptLog } from './kept-log';

/** For the end of a log, when its node has ended. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
/** While the nodes of a run come up, their hosts have better to do; nothing of the log is lost by that. */
const FIRST_LOOK_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const RETRY_MS = 500;

/** How a node ended, as far as it matters to its log. */
export type NodeEnd = 'succeeded' | 'failed' | 'stopped';

/** The log of a node that is being watched. */
export interface WatchedLog {
  /** Once the node has ended: keeps the rest and sends what may leave, with a patience that has an end. */
  finish(end: NodeEnd, signal: AbortSignal): Promise<void>;
  /** Nobody watches the node any more, though it may go on. */
  leave(): Promise<void>;
}

/** Where to say what went wrong; as much of a logger as is needed. */
interface Log {
  warn(message: string, about?: Record<string, unknown>): void;
}

export class NodeLogs {
  /** The last to watch each node in this process. */
  private readonly watched = new Map<string, Watched>();

  constructor(private readonly host: Pick<NodeHost, 'api' | 'folders' | 'policy'>) {}

  /** Begins to keep a node's log, or goes on with it. */
  watch(ref: NodeRef, runtime: NodeRuntime, signal: AbortSignal, log: Log): WatchedLog {
    const key = keyOf(ref);
    // An attempt that the server gave up may not know it yet; two must not write one file.
    const before = this.watched.get(key)?.leave();
    const watched = new Watched(this.host, ref, runtime, signal, log, before);
    this.watched.set(key, watched);
    void watched.left.then(() => {
      if (this.watched.get(key) === watched) this.watched.delete(key);
    });
    return watched;
  }

  /** Resolves when nobody reads or writes the log of a node that has ended any more, or when that takes too long. */
  async settled(ref: NodeRef): Promise<void> {
    const watched = this.watched.get(keyOf(ref));
    // The rest is read first, and then sent.
    if (watched !== undefined) await within(2 * PATIENCE_MS, watched.left);
  }
}

const keyOf = ({ runId, launchId, node }: NodeRef) => `${runId}.${launchId}.${node}`;

class Watched implements WatchedLog {
  /** Resolves when the node's output was read to its end and is on disk, or will not be. */
  readonly kept: Promise<void>;
  /** Resolves when the files are closed. */
  readonly left: Promise<void>;
  private readonly opened: Promise<KeptLog | undefined>;
  private readonly streamed: Promise<void>;
  /** The log is wanted now. */
  private readonly wanted = new AbortController();
  private readonly enough = new AbortController();
  /** The node has ended. */
  private readonly over = new AbortController();
  /** What is being sent is not waited for any longer. */
  private readonly gone = new AbortController();
  private leaving = false;
  private tellLeft: () => void = () => undefined;
  /** The central API does not want this log. */
  private refused = false;

  constructor(
    private readonly host: Pick<NodeHost, 'api' | 'folders' | 'policy'>,
    private readonly ref: NodeRef,
    private readonly runtime: NodeRuntime,
    signal: AbortSignal,
    private readonly log: Log,
    before: Promise<void> | undefined,
  ) {
    this.left = new Promise((resolve) => (this.tellLeft = resolve));
    this.opened = this.tolerating('kept', async () => {
      await before;
      await sleep(FIRST_LOOK_MS, undefined, { signal: this.wanted.signal }).catch(() => undefined);
      return KeptLog.open(host.folders.log(ref), host.folders.logState(ref));
    });
    this.kept = this.tolerating('kept', () => this.keep(AbortSignal.any([signal, this.enough.signal])));
    const cutOff = AbortSignal.any([signal, this.gone.signal]);
    const over = AbortSignal.any([cutOff, this.over.signal]);
    this.streamed = this.tolerating('sent', () => this.stream(over, cutOff));
    void this.kept.then(() => this.over.abort());
  }

  async finish(end: NodeEnd, signal: AbortSignal): Promise<void> {
    if (this.leaving) return;
    this.wanted.abort();
    await within(PATIENCE_MS, this.kept);
    const patience = AbortSignal.any([signal, timeLimit(PATIENCE_MS)]);
    this.over.abort();
    // What is being sent may arrive: a call that is cut off takes its connection along.
    patience.addEventListener('abort', () => this.gone.abort(), { once: true });
    await this.streamed;
    await this.stopReading();
    await this.tolerating('sent', () => this.sendRest(end, patience));
    await this.leave();
  }

  async leave(): Promise<void> {
    if (this.leaving) return this.left;
    this.leaving = true;
    this.wanted.abort();
    await this.stopReading();
    await (await this.opened)?.close();
    this.tellLeft();
  }

  private async stopReading(): Promise<void> {
    this.enough.abort();
    this.gone.abort();
    await Promise.all([this.kept, this.streamed]);
  }

  private async keep(signal: AbortSignal): Promise<void> {
    const kept = await this.opened;
    if (kept === undefined || kept.isFull()) return;
    try {
      for await (const { bytes, cursor } of gather(this.runtime.follow(this.ref, kept.cursor, signal))) {
        await kept.append(bytes, cursor);
        // Aborted first: whoever follows would else be waited for until the node speaks again.
        if (kept.isFull()) this.enough.abort();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Sends while the node runs, ever less often: an hour of a log is some hundreds of parts, a day some thousands. */
  private async stream(over: AbortSignal, cutOff: AbortSignal): Promise<void> {
    const kept = await this.opened;
    if (kept === undefined) return;
    const isOver = () => over.aborted;
    for (let failures = 0; !isOver() && !this.refused;) {
      const pause = Math.max((FIRST_PAUSE_MS * kept.parts) / 10, FIRST_PAUSE_MS * 2 ** failures);
      await sleep(Math.min(pause, LONGEST_PAUSE_MS), undefined, { signal: over, ref: false }).catch(
        () => undefined,
      );
      if (isOver() || kept.nextPart === undefined || (await this.policy()) !== 'stream') continue;
      failures = (await this.send(kept, cutOff)) ? 0 : failures + 1;
    }
  }

  private async sendRest(end: NodeEnd, signal: AbortSignal): Promise<void> {
    const kept = await this.opened;
    const policy = await this.policy();
    const may = policy === 'stream' || (policy === 'on-error' && end === 'failed');
    if (kept === undefined || !may) return;
    while (!this.refused && !(await this.send(kept, signal))) {
      if (signal.aborted) throw new Error('the central API did not take it in time');
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Sends all that is kept now; answers whether that worked. */
  private async send(kept: KeptLog, signal: AbortSignal): Promise<boolean> {
    const { runId, launchId, node } = this.ref;
    try {
      for (let part = kept.nextPart; part !== undefined; part = kept.nextPart) {
        const bytes = await kept.read(part);
        const { next } = await this.host.api.putNodeLog(runId, launchId, node, part.start, bytes, signal);
        await kept.markSent(next);
      }
      return true;
    } catch (error) {
      if (signal.aborted || mayPass(error)) return false;
      this.refused = error instanceof ApiProblem;
      throw error;
    }
  }

  /** As the site's administrator has it now. What cannot be read allows nothing. */
  private async policy(): Promise<'none' | 'on-error' | 'stream'> {
    return this.host.policy().then(
      ({ logs }) => logs,
      () => 'none',
    );
  }

  private async tolerating<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.warn(`the log of a node is not ${what}`, { ...this.ref, reason });
      return undefined;
    }
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
}
