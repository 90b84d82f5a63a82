/**
 * The events of runs for those who follow them live. However many follow one run here, what is new is read once: they wait together,
 * and who asks for the same part gets the same answer.
 */
import type { Database } from '../db/client';
import type { Journal } from '../journal';
import type { Listener } from '../wakes';
import { findRun } from './find-run';
import type { Truth } from './truth';

/** Another replica of the API may have written; this one is woken only by what it wrote itself. */
const POLL_MS = 2_000;
const BATCH = 100;

/** A part of a run's events as the stream sends it. */
export interface Part {
  text: string;
  /** The last event in it. */
  lastId: number;
}

export interface Feed {
  /** What comes after an event; `undefined`: nothing yet. */
  read(lastEventId: number): Promise<Part | undefined>;
  /** Resolves when there may be more. */
  changed(): Promise<void>;
  close(): void;
}

export interface Feeds {
  open(runId: string): Feed;
}

interface Deps {
  db: Database;
  journal: Pick<Journal, 'read' | 'listen'>;
  truth: Pick<Truth, 'check'>;
}

export function createFeeds(deps: Deps): Feeds {
  const shared = new Map<string, SharedFeed>();
  return {
    open(runId) {
      const feed = shared.get(runId) ?? new SharedFeed(runId, deps);
      shared.set(runId, feed);
      feed.followers += 1;
      return {
        read: (lastEventId) => feed.read(lastEventId),
        changed: () => feed.changed(),
        close() {
          feed.followers -= 1;
          if (feed.followers > 0) return;
          shared.delete(runId);
          feed.close();
        },
      };
    },
  };
}

class SharedFeed {
  followers = 0;
  private readonly listener: Listener;
  private readonly ending = new AbortController();
  private parts = new Map<number, Promise<Part | undefined>>();
  private round: Promise<void> | undefined;

  constructor(
    private readonly runId: string,
    private readonly deps: Deps,
  ) {
    this.listener = deps.journal.listen(runId);
  }

  read(lastEventId: number): Promise<Part | undefined> {
    const known = this.parts.get(lastEventId);
    if (known !== undefined) return known;
    const part = this.readPart(lastEventId);
    this.parts.set(lastEventId, part);
    return part;
  }

  changed(): Promise<void> {
    this.round ??= this.wait().finally(() => {
      this.round = undefined;
    });
    return this.round;
  }

  close(): void {
    this.listener.close();
    this.ending.abort();
  }

  private async wait(): Promise<void> {
    await this.listener.wait(POLL_MS, this.ending.signal);
    // What has been read until now may be outdated; what is read from now on is not.
    this.parts = new Map();
    if (!this.ending.signal.aborted) await this.deps.truth.check(await findRun(this.deps.db, this.runId));
  }

  private async readPart(lastEventId: number): Promise<Part | undefined> {
    const events = await this.deps.journal.read(this.runId, lastEventId, BATCH);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    const text = events
      .map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('');
    return { text, lastId: last.id };
  }
}
