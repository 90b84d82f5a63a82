/** Where the path of a request leads to, and what of it a person may see. */
import { and, eq, exists, inArray, or, sql, type SQL } from 'drizzle-orm';
import { ConsortiumId, RunId, SiteId } from '../../workflows/contract';
import type { Caller, Destination, Person } from '../access';
import type { Database } from '../db/client';
import { consortiaOf } from '../consortia/memberships-of';
import { nodes, runs } from '../db/schema';
import { lookUpRun, unknownRun } from '../runs/find-run';

export interface Destinations {
  /**
   * What a person who is no admin asks about, by the parameters of the path as they came.
   * @throws HttpProblem `unknown-run`
   */
  of(person: Person, path: unknown): Promise<Destination>;
  /** The consortia that the caller may look at; `undefined` is all of them. */
  visibleConsortia(caller: Caller): Promise<string[] | undefined>;
  /** The consortia in which one of the sites takes part. */
  consortiaOf(sites: readonly string[]): Promise<string[]>;
}

export function createDestinations(db: Database): Destinations {
  /** The consortia that somebody of one of the sites may look at: who is invited has to know to what. */
  const openTo = (sites: readonly string[]) => consortiaOf(db, sites, ['invited', 'accepted']);

  async function takesPart(runId: string, sites: readonly string[]): Promise<boolean> {
    if (sites.length === 0) return false;
    const [row] = await db
      .select({ node: nodes.node })
      .from(nodes)
      .where(and(eq(nodes.runId, runId), inArray(nodes.node, [...sites])))
      .limit(1);
    return row !== undefined;
  }

  return {
    // An invitation that nobody has accepted gives and takes no say.
    consortiaOf: (sites) => consortiaOf(db, sites, ['accepted']),

    async of({ sites }, path) {
      const { runId, consortiumId, siteId } = parametersOf(path);
      if (runId !== undefined) {
        const run = RunId.safeParse(runId).success ? await lookUpRun(db, runId) : undefined;
        if (run === undefined) throw unknownRun(runId);
        return { runId, consortiumId: run.consortiumId, takesPart: await takesPart(runId, sites) };
      }
      if (consortiumId !== undefined && ConsortiumId.safeParse(consortiumId).success)
        return {
          consortiumId,
          // A site of the consortium is named in the path for what its administrator decides there.
          ...(siteId === undefined
            ? { takesPart: (await openTo(sites)).includes(consortiumId) }
            : { siteId }),
        };
      return siteId !== undefined && SiteId.safeParse(siteId).success ? { siteId } : {};
    },

    async visibleConsortia(caller) {
      if (caller.role !== 'person' || caller.admin) return undefined;
      return [...new Set([...Object.keys(caller.consortia), ...(await openTo(caller.sites))])];
    },
  };
}

/** The runs that the caller may look at, as a condition; `undefined` is all of them. */
export function visibleRuns(db: Database, caller: Caller): SQL | undefined {
  if (caller.role !== 'person' || caller.admin) return undefined;
  const { consortia: granted, sites } = caller;
  const ids = Object.keys(granted);
  const ofSites = db
    .select({ one: sql`1` })
    .from(nodes)
    .where(and(eq(nodes.runId, runs.runId), inArray(nodes.node, [...sites])));
  return or(
    ids.length > 0 ? inArray(runs.consortiumId, ids) : sql`false`,
    sites.length > 0 ? exists(ofSites) : sql`false`,
  );
}

function parametersOf(path: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof path !== 'object' || path === null) return {};
  return Object.fromEntries(
    Object.entries(path).map(([name, value]) => [name, typeof value === 'string' ? value : undefined]),
  );
}
