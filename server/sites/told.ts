/** What a site's edge worker said last of what the site would let run. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client';
import { siteReadiness, sites } from '../db/schema';

/** What a site said last, and when. */
export type Told = Pick<typeof siteReadiness.$inferSelect, 'at' | 'body'>;

/** Nothing where the worker that is there now is of another version than the one that said it. */
export async function readTold(db: Database, siteId: string): Promise<Told | undefined> {
  const [row] = await db
    .select({ told: siteReadiness, version: sites.version })
    .from(siteReadiness)
    .innerJoin(sites, eq(sites.siteId, siteReadiness.siteId))
    .where(eq(siteReadiness.siteId, siteId));
  return row?.told.body.version === row?.version ? row?.told : undefined;
}
