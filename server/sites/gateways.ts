/**
 * Which site gateways there are. Each asks every few seconds whom it is to refuse, and is heard by that; what its silence means
 * is judged as that of sites. One that ends in order says so and is not missed; one that was killed is, until it is forgotten.
 */
import { asc, eq, lt } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import type { GatewayList } from '../../workflows/identity-contract';
import type { Database } from '../db/client';
import { gateways } from '../db/schema';
import type { Presence } from './presence';

/** Long enough to be seen by who was away for a weekend. */
export const FORGOTTEN_AFTER_MS = 7 * 24 * 60 * 60 * 1_000;

export interface Gateways {
  /** Never fails: whom a gateway is to refuse, it has to be told all the same. */
  hear(name: string): Promise<void>;
  /** It ends. */
  remove(name: string): Promise<void>;
  list(): Promise<GatewayList>;
}

/** @param clock milliseconds since the epoch */
export function createGateways({
  db,
  presence,
  log,
  clock = Date.now,
}: {
  db: Database;
  presence: Pick<Presence, 'of' | 'wasDeaf'>;
  log: FastifyBaseLogger;
  clock?: () => number;
}): Gateways {
  return {
    async hear(name) {
      const seenAt = clock();
      try {
        await db
          .insert(gateways)
          .values({ name, seenAt })
          .onConflictDoUpdate({ target: gateways.name, set: { seenAt } });
      } catch (err) {
        presence.wasDeaf();
        log.warn({ err, gateway: name }, 'cannot write down that a gateway is there');
      }
    },
    async remove(name) {
      await db.delete(gateways).where(eq(gateways.name, name));
    },
    async list() {
      const at = clock();
      await db.delete(gateways).where(lt(gateways.seenAt, at - FORGOTTEN_AFTER_MS));
      const rows = await db.select().from(gateways).orderBy(asc(gateways.name));
      return {
        gateways: rows.map((row) => ({ ...row, presence: presence.of({ ...row, state: 'here' }) })),
        at,
      };
    },
  };
}
