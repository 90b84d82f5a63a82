/** What a person may do where, so that nothing is offered that the API would refuse. The API decides. Pure. */
import type { ConsortiumRole, Me } from '../workflows/people-contract';

const RANK: Readonly<Record<ConsortiumRole, number>> = { viewer: 1, member: 2, lead: 3 };

/** Whether they may do, in a consortium, what `least` may do there. */
export function holds({ admin, consortia }: Me, consortiumId: string, least: ConsortiumRole): boolean {
  const role = Object.hasOwn(consortia, consortiumId) ? consortia[consortiumId] : undefined;
  return admin || (role !== undefined && RANK[role] >= RANK[least]);
}

/** Whether they answer for the site. */
export const answersFor = ({ admin, sites }: Me, siteId: string): boolean => admin || sites.includes(siteId);

/** Whether they may look up what was done, if only in the consortia that they lead. */
export const seesAudit = ({ admin, consortia }: Me): boolean =>
  admin || Object.values(consortia).includes('lead');
