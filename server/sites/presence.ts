/**
 * Which sites are there. An edge worker says so every few seconds, and one that has not been heard of for a while is away;
 * unless it could not be heard, because this API was not there itself: then nobody knows, until everyone had the time to
 * say a word.
 */
import { asc } from 'drizzle-orm';
import type { PresenceBody, SiteView } from '../../workflows/api-contract';
import type { Database } from '../db/client';
import { sites } from '../db/schema';

/** A worker that is silent for so long is away: three words of it were missed. */
export const AWAY_AFTER_MS = 45_000;

export type Heard = typeof sites.$inferSelect;
export type HeardSite = Heard & Pick<SiteView, 'presence'>;

export interface Presence {
  hear(siteId: string, body: PresenceBody): Promise<void>;
  /** Every site that was ever heard of. */
  sites(): Promise<HeardSite[]>;
  /** What is known now of who was last heard of like this. */
  of(heard: Pick<Heard, 'seenAt' | 'state'>): SiteView['presence'];
  /** Until now nothing could be heard, whatever was said. */
  wasDeaf(): void;
}

/** @param clock milliseconds since the epoch */
export function createPresence({ db, clock = Date.now }: { db: Database; clock?: () => number }): Presence {
  let listeningSince = clock();
  const wasDeaf = () => {
    listeningSince = clock();
  };
  /** What cannot be written down was not heard. */
  const orDeaf = (error: unknown): never => {
    wasDeaf();
    throw error;
  };
  const of: Presence['of'] = (heard) => presenceOf(heard, listeningSince, clock());
  return {
    of,
    wasDeaf,
    async hear(siteId, body) {
      const row = { ...body, seenAt: clock() };
      await db
        .insert(sites)
        .values({ siteId, ...row })
        .onConflictDoUpdate({ target: sites.siteId, set: row })
        .catch(orDeaf);
    },
    async sites() {
      const rows = await db.select().from(sites).orderBy(asc(sites.siteId)).catch(orDeaf);
      return rows.map((row) => ({ ...row, presence: of(row) }));
    },
  };
}

/** What is known now of a site that was last heard of like this. */
export function presenceOf(
  { seenAt, state }: Pick<Heard, 'seenAt' | 'state'>,
  listeningSince: number,
  now: number,
): SiteView['presence'] {
  if (state === 'here' && now - seenAt < AWAY_AFTER_MS) return 'here';
  const couldBeHeard = seenAt >= listeningSince || now - listeningSince >= AWAY_AFTER_MS;
  return couldBeHeard ? 'away' : 'unknown';
}
