/** Whether there is such a site: it was added, or was heard of, or has somebody who administers it. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client';
import { memberships, siteEnrolments, sitePeople, sites } from '../db/schema';

export async function isKnownSite(db: Database, siteId: string): Promise<boolean> {
  const counts = await Promise.all([
    db.$count(siteEnrolments, eq(siteEnrolments.siteId, siteId)),
    db.$count(sites, eq(sites.siteId, siteId)),
    db.$count(sitePeople, eq(sitePeople.siteId, siteId)),
    db.$count(memberships, eq(memberships.siteId, siteId)),
  ]);
  return counts.some((count) => count > 0);
}
