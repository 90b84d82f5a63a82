/** What sites say of whether runs could start there: kept as they said it last, and held against what the consortia want. */
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import type {
  Membership,
  ReadinessBody,
  SiteMemberships,
  SiteNews,
  SiteReadiness,
} from '../../workflows/consortium-contract';
import type { ComputationRef } from '../../workflows/contract';
import { nodeComputation } from '../../workflows/launch-context';
import { sitesOf, type Consortia, type Consortium } from '../consortia/consortia';
import { isOpen } from '../consortia/membership';
import { consortiaOf } from '../consortia/memberships-of';
import type { Database } from '../db/client';
import {
  computations,
  consortia as consortiumRows,
  memberships,
  siteAnswers,
  siteReadiness,
} from '../db/schema';
import { HttpProblem } from '../problem';
import type { Registry } from '../registry/computations';
import { forgetSettled, inTurn } from './answers';
import type { HeardSite, Presence } from './presence';
import type { Told } from './told';

export interface Readiness {
  /** Whether there is something new for the site to look at; cheap, for it is asked with every sign of life. */
  news(siteId: string): Promise<SiteNews>;
  /** What the site is to judge. */
  membershipsOf(siteId: string): Promise<SiteMemberships>;
  hear(siteId: string, body: ReadinessBody): Promise<void>;
  /** How each site that is in, or invited, stands to the next run. */
  of(consortium: Consortium): Promise<SiteReadiness[]>;
}

/** @param deps.clock milliseconds since the epoch */
export function createReadiness(deps: {
  db: Database;
  consortia: Consortia;
  registry: Registry;
  presence: Pick<Presence, 'sites'>;
  clock?: () => number;
}): Readiness {
  const { db, consortia, registry, presence, clock = Date.now } = deps;

  async function computationOf(ref: ComputationRef | undefined) {
    if (ref === undefined) return undefined;
    const record = await registry.get(ref).catch((error: unknown) => {
      if (error instanceof HttpProblem) return undefined;
      throw error;
    });
    return record && nodeComputation(record);
  }

  return {
    async news(siteId) {
      const chosen = (key: string) => sql`${consortiumRows.body} -> 'computation' ->> ${key}`;
      const [rows, told, answers] = await Promise.all([
        db
          .select({ id: consortiumRows.id, revision: consortiumRows.revision, addedAt: computations.addedAt })
          .from(memberships)
          .innerJoin(consortiumRows, eq(consortiumRows.id, memberships.consortiumId))
          .leftJoin(
            computations,
            and(eq(computations.name, chosen('name')), eq(computations.version, chosen('version'))),
          )
          .where(
            and(
              eq(memberships.siteId, siteId),
              eq(memberships.state, 'accepted'),
              isNull(consortiumRows.archivedAt),
            ),
          )
          .orderBy(asc(consortiumRows.id)),
        db.$count(siteReadiness, eq(siteReadiness.siteId, siteId)),
        db.$count(siteAnswers, eq(siteAnswers.siteId, siteId)),
      ]);
      const mark = createHash('sha256').update(JSON.stringify(rows)).digest('base64url');
      return { memberships: mark, heard: told > 0, answers };
    },

    async membershipsOf(siteId) {
      const all = await consortia.list(await consortiaOf(db, [siteId], ['accepted']));
      const found = await Promise.all(
        all.map(async (consortium) => {
          const site = sitesOf(consortium).find(({ id }) => id === siteId);
          if (site === undefined) return [];
          const computation = await computationOf(consortium.computation);
          const { id, name } = consortium;
          return [{ consortium: { id, name }, dataset: site.dataset, ...(computation && { computation }) }];
        }),
      );
      return { memberships: found.flat() };
    },

    async hear(siteId, body) {
      const row = { at: clock(), body };
      await db.transaction(async (tx) => {
        await inTurn(tx, siteId);
        await tx
          .insert(siteReadiness)
          .values({ siteId, ...row })
          .onConflictDoUpdate({ target: siteReadiness.siteId, set: row });
        await forgetSettled(tx, siteId, body);
      });
    },

    async of(consortium) {
      const members = consortium.memberships.filter(isOpen);
      if (members.length === 0) return [];
      const ids = members.map(({ siteId }) => siteId);
      const [rows, heard] = await Promise.all([
        db.select().from(siteReadiness).where(inArray(siteReadiness.siteId, ids)),
        presence.sites(),
      ]);
      const told = new Map(rows.map((row) => [row.siteId, row]));
      const present = new Map(heard.map((one) => [one.siteId, one]));
      return members.map((member) =>
        readinessOf(member, consortium, present.get(member.siteId), told.get(member.siteId)),
      );
    },
  };
}

/** How one site stands to the next run of the consortium. Pure. */
export function readinessOf(
  { siteId, name, state, dataset }: Membership,
  { id, computation }: Pick<Consortium, 'id' | 'computation'>,
  heard: HeardSite | undefined,
  told: Told | undefined,
): SiteReadiness {
  // Who is only invited has not agreed to be looked at.
  const presence = state === 'accepted' ? (heard?.presence ?? 'unknown') : 'unknown';
  const base = { siteId, name, membership: state, presence };
  const unknown = (why: string): SiteReadiness => ({ ...base, verdict: 'not-known', says: [why] });
  if (state !== 'accepted') return unknown('It has not answered the invitation yet.');
  if (presence === 'away') return unknown('Its edge worker is away.');
  if (presence === 'unknown') return unknown('Whether its edge worker is there is not known.');
  if (told === undefined || told.body.version !== heard?.version)
    return unknown('Its edge worker has not said it: it has just started, or is of an older version.');
  if (computation === undefined) return unknown('No computation is chosen.');
  const said = told.body.judgements.find((one) => one.consortiumId === id);
  const isAboutThis =
    said?.dataset === dataset &&
    said?.computation.name === computation.name &&
    said.computation.version === computation.version;
  if (said === undefined || !isAboutThis)
    return unknown(`It has not looked at ${computation.name} ${computation.version} yet.`);
  const { verdict, why, image, data, dataWhy } = said;
  const { closed } = told.body.policy;
  const isWrong = verdict === 'refused' || data === 'missing' || image === 'unknown';
  const waits = verdict === 'needs-approval' || closed !== undefined;
  return {
    ...base,
    verdict: isWrong ? 'not-ready' : waits ? 'waits' : 'ready',
    says: [
      ...(verdict === 'refused' ? [why ?? 'Its site.yaml does not allow the computation.'] : []),
      ...(verdict === 'needs-approval' ? ['A person there approves every run.'] : []),
      ...(data === 'missing' ? [dataWhy ?? 'Its data is not there.'] : []),
      ...(image === 'unknown' ? ['No container engine answers there.'] : []),
      ...(image === 'to-be-pulled' ? ['The image is not there: it is pulled when a run starts.'] : []),
      ...(closed ? [closed.says] : []),
    ],
    ...{ computation: verdict, image, data, at: told.at },
  };
}
