/** In which consortia a site is, without looking at these. */
import { and, asc, inArray } from 'drizzle-orm';
import type { MembershipState } from '../../workflows/consortium-contract';
import type { Database } from '../db/client';
import { memberships } from '../db/schema';

/** The consortia in which one of the sites is in one of these states. */
export async function consortiaOf(
  db: Database,
  sites: readonly string[],
  states: readonly MembershipState[],
): Promise<string[]> {
  if (sites.length === 0) return [];
  const rows = await db
    .selectDistinct({ id: memberships.consortiumId })
    .from(memberships)
    .where(and(inArray(memberships.siteId, [...sites]), inArray(memberships.state, [...states])))
    .orderBy(asc(memberships.consortiumId));
  return rows.map(({ id }) => id);
}
