/**
 * The journal of runs: every change of what is known of a run goes through {@link Journal.change}, which makes it and the
 * events that tell of it one transaction, and then wakes those who follow the run.
 */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { RunEvent } from '../workflows/api-contract';
import type { Database } from './db/client';
import { eventColumns, events } from './db/schema';
import { createWakes, type Listener } from './wakes';

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
  /** Is called after every change of a run by this process. */
  onChange(hear: () => void): void;
}

export function createJournal(db: Database): Journal {
  const wakes = createWakes();
  const hearers: (() => void)[] = [];
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
      if (told.length > 0) {
        wakes.ring(runId);
        for (const hear of hearers) hear();
      }
      return result;
    },
    read: (runId, lastEventId, limit) =>
      db
        .select(eventColumns)
        .from(events)
        .where(and(eq(events.runId, runId), gt(events.id, lastEventId)))
        .orderBy(asc(events.id))
        .limit(limit),
    listen: (runId) => wakes.listen(runId),
    onChange: (hear) => void hearers.push(hear),
  };
}
