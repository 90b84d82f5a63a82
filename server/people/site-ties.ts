/** What is known of a site before anyone decides who it is, or who is to administer it. */
import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { SiteTies } from '../access';
import type { Database } from '../db/client';
import { memberships, siteEnrolments, sitePeople } from '../db/schema';

export interface FindSiteTies {
  (siteId: string): Promise<SiteTies>;
  /** Of each, in their order. For a thousand sites the database is asked as often as for one. */
  ofAll(siteIds: readonly string[]): Promise<SiteTies[]>;
}

export function createSiteTies(db: Database): FindSiteTies {
  /** What is known of the sites, by their ids. */
  async function read(siteIds: readonly string[]): Promise<(siteId: string) => SiteTies> {
    const ids = [...new Set(siteIds)];
    const [taken, administered, added] = await Promise.all([
      db
        .select({ siteId: memberships.siteId, consortiumId: memberships.consortiumId })
        .from(memberships)
        // An invitation that nobody has accepted gives and takes no say.
        .where(and(inArray(memberships.siteId, ids), eq(memberships.state, 'accepted'))),
      db
        .selectDistinct({ siteId: sitePeople.siteId })
        .from(sitePeople)
        .where(inArray(sitePeople.siteId, ids)),
      db
        .select({ siteId: siteEnrolments.siteId, addedById: siteEnrolments.addedById })
        .from(siteEnrolments)
        .where(inArray(siteEnrolments.siteId, ids)),
    ]);
    const consortia = new Map(ids.map((id): [string, string[]] => [id, []]));
    for (const { siteId, consortiumId } of taken) consortia.get(siteId)?.push(consortiumId);
    const withAdmins = new Set(administered.map(({ siteId }) => siteId));
    // Nobody is meant by no id, so that what was added before there were accounts is left to admins.
    const addedById = new Map(added.map((row) => [row.siteId, row.addedById ?? '']));
    return (siteId) => ({
      siteId,
      consortia: consortia.get(siteId) ?? [],
      addedById: addedById.get(siteId),
      hasAdmins: withAdmins.has(siteId),
    });
  }

  return Object.assign(async (siteId: string) => (await read([siteId]))(siteId), {
    ofAll: async (siteIds: readonly string[]) =>
      siteIds.length === 0 ? [] : siteIds.map(await read(siteIds)),
  });
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
