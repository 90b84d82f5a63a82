/** What is known of a site before anyone decides who it is, or who is to administer it. */
import { eq } from 'drizzle-orm';
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
