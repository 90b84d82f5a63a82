/** What was done to a consortium: as it is written down, and in words for those who read it later. Values are not kept. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { AuditEntry } from '../../workflows/audit-contract';
import type { ConsortiumChange } from '../../workflows/consortium-contract';
import { sitesOf, type Consortium } from './consortia';

/** How the names of these actions begin. */
export const ACTIONS = 'consortium.';

/** What of a consortium is something else now, by name. */
export function whatChanged(before: Consortium | undefined, after: Consortium): Record<string, unknown> {
  const { computation } = after;
  const plain = (['name', 'description', 'computation', 'windows'] as const).filter(
    (field) => !isDeepStrictEqual(before?.[field], after[field]),
  );
  const [old, now] = [before?.parameters ?? {}, after.parameters];
  const parameters = [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((name) => !isDeepStrictEqual(old[name], now[name]))
    .map((name) => `parameter ${name}`);
  const sites = isDeepStrictEqual(before && sitesOf(before), sitesOf(after)) ? [] : ['sites'];
  const archived =
    (before?.archivedAt === undefined) === (after.archivedAt === undefined) ? [] : ['archived'];
  return {
    fields: [...plain, ...parameters, ...sites, ...archived],
    ...(plain.includes('computation') && computation && { computation: nameOf(computation) }),
  };
}

const nameOf = ({ name, version }: { name: string; version: string }) => `${name} ${version}`;

/** What is in the details of these actions. */
const Detail = z
  .object({
    fields: z.array(z.string()),
    computation: z.string(),
    accept: z.boolean(),
    dataset: z.string(),
    reason: z.string(),
    by: z.string(),
    person: z.string(),
    role: z.string(),
  })
  .partial();
type Detail = z.output<typeof Detail>;

/** An entry of the audit log as people of the consortium read it. */
export function inWords({ id, at, by, action, siteId, detail }: AuditEntry): ConsortiumChange {
  const known = Detail.safeParse(detail ?? {}).data ?? {};
  return {
    ...{ id, at, by, action, fields: known.fields ?? [] },
    says: sentence(action, siteId ?? 'unknown', known),
    ...(siteId !== undefined && { siteId }),
  };
}

function sentence(action: string, site: string, detail: Detail): string {
  const { fields = [], computation, accept, dataset, reason, by, person = 'somebody', role } = detail;
  switch (action) {
    case 'consortium.create':
      return 'Founded the consortium.';
    case 'consortium.archive':
      return 'Archived the consortium.';
    case 'consortium.invite':
      return `Invited the site ${site}.`;
    case 'consortium.answer':
      if (accept === true) return `Accepted for the site ${site}, with the dataset ${dataset ?? 'unknown'}.`;
      return `Declined for the site ${site}${reason === undefined ? '' : `: ${reason}`}.`;
    case 'consortium.part':
      return by === 'site' ? `Left with the site ${site}.` : `Let the site ${site} go.`;
    case 'consortium.person':
      return role === 'none' ? `Took ${person} out.` : `Made ${person} a ${role ?? 'member'}.`;
    default: {
      const chosen = computation === undefined ? '' : `; the computation is ${computation} now`;
      return fields.length === 0 ? 'Changed nothing.' : `Changed ${fields.join(', ')}${chosen}.`;
    }
  }
}
