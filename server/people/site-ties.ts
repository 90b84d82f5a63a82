/** What is known of a site before anyone decides who it is, or who is to administer it. */
import { and, eq, isNull } from 'drizzle-orm';
import type { SiteTies } from '../access';
import type { Database } from '../db/client';
import { siteEnrolments, sitePeople } from '../db/schema';
import type { Destinations } from './destinations';

export type FindSiteTies = (siteId: string) => Promise<SiteTies>;

export function createSiteTies({
  db,
  destinations,
}: {
  db: Database;
  destinations: Destinations;
}): FindSiteTies {
  return async (siteId) => {
    const [consortia, admins, [added]] = await Promise.all([
      destinations.consortiaOf([siteId]),
      db.$count(sitePeople, eq(sitePeople.siteId, siteId)),
      db.select().from(siteEnrolments).where(eq(siteEnrolments.siteId, siteId)),
    ]);
    // Nobody is meant by no id, so that what was added before there were accounts is left to admins.
    return { siteId, consortia, addedById: added && (added.addedById ?? ''), hasAdmins: admins > 0 };
  };
}

/** The sites that somebody added and that nobody administers yet. */
export async function addedBy(db: Database, personId: string): Promise<string[]> {
  const rows = await db
    .select({ siteId: siteEnrolments.siteId })
    .from(siteEnrolments)
    .leftJoin(sitePeople, eq(sitePeople.siteId, siteEnrolments.siteId))
    .where(and(eq(siteEnrolments.addedById, personId), isNull(sitePeople.siteId)));
  return rows.map(({ siteId }) => siteId);
}
