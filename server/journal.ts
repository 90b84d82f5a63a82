/**
 * The journal of runs: every change of what is known of a run goes through {@link Journal.change}, which makes it and the
 * events that tell of it one transaction, and then wakes those who follow the run.
 */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { EventEmitter } from 'node:events';
import type { RunEvent } from '../workflows/api-contract';
import type { Database } from './db/client';
import { eventColumns, events } from './db/schema';

export type NewEvent = Pick<RunEvent, 'type' | 'at'> & {
  data: object;
  /** It takes the place of the event before it that had the same. */
  subject?: string;
};

export interface Journal {
  /**
   * Changes what is known of a run. Changes of one run come one after the other, so that the ids of its events grow in
   * the order in which they become visible.
   */
  change<T>(runId: string, work: (tx: Database, tell: (event: NewEvent) => void) => Promise<T>): Promise<T>;
  /** Up to `limit` events of a run after `lastEventId`, the oldest first. */
  read(runId: string, lastEventId: number, limit: number): Promise<RunEvent[]>;
  /** Listens for changes of a run by this process. */
  listen(runId: string): Listener;
}

export interface Listener {
  /** Resolves when the run has changed since the last time, and at the latest after `ms` or when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createJournal(db: Database): Journal {
  const wakes = new EventEmitter().setMaxListeners(0);
  return {
    async change(runId, work) {
      const told: NewEvent[] = [];
      const result = await db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${runId}, 0))`);
        const outcome = await work(tx, (event) => told.push(event));
        if (told.length > 0) {
          const subjects = told.flatMap(({ subject }) => subject ?? []);
          const outdated = and(eq(events.runId, runId), inArray(events.subject, subjects));
          if (subjects.length > 0) await tx.delete(events).where(outdated);
          await tx.insert(events).values(told.map((event) => ({ ...event, runId, data: { ...event.data } })));
        }
        return outcome;
      });
      if (told.length > 0) wakes.emit(wake(runId));
      return result;
    },
    read: (runId, lastEventId, limit) =>
      db
        .select(eventColumns)
        .from(events)
        .where(and(eq(events.runId, runId), gt(events.id, lastEventId)))
        .orderBy(asc(events.id))
        .limit(limit),
    listen: (runId) => listen(wakes, wake(runId)),
  };
}

function listen(wakes: EventEmitter, name: string): Listener {
  let missed = false;
  const ring = () => (missed = true);
  wakes.on(name, ring);
  return {
    async wait(ms, signal) {
      if (!missed && !signal.aborted)
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            wakes.off(name, done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          const timer = setTimeout(done, ms);
          wakes.on(name, done);
          signal.addEventListener('abort', done);
        });
      missed = false;
    },
    close: () => wakes.off(name, ring),
  };
}

/** A run may be called `error`, which an emitter takes for more than a name. */
const wake = (runId: string) => `changed ${runId}`;
