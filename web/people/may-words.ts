/** What somebody may do, a sentence each. Pure. */
import type { ConsortiumRole, Grants } from '../../workflows/people-contract';

const ROLE_WORDS: Record<ConsortiumRole, string> = {
  viewer: 'See the runs of',
  member: 'See the runs, logs and results of',
  lead: 'Lead',
};

export const mayInWords = ({ admin, consortia, sites }: Grants): string[] => [
  ...(admin ? ['Do everything, as an administrator'] : []),
  ...Object.entries(consortia).map(([id, role]) => `${ROLE_WORDS[role]} the consortium ${id}`),
  ...sites.map((id) => `Administer the site ${id}`),
];
