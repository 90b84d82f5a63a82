/** Lists of runs, the newest first, a page at a time: what begins meanwhile moves no page. */
import { and, count, desc, eq, exists, inArray, ne, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import type { RunSummary } from '../../workflows/api-contract';
import { CENTRAL_NODE, ConsortiumId, RunState, SiteId } from '../../workflows/contract';
import type { Database } from '../db/client';
import { nodes, runColumns, runs } from '../db/schema';
import type { KnownRun } from './find-run';

/** Where a page ends: when its last run began, and which one that was. */
const Cursor = z.codec(
  z
    .string()
    .regex(/^\d+(?:\.\d+)?\.[a-z0-9-]{1,80}$/, 'must be the `next` of an earlier page')
    .meta({ examples: ['1795858200000.palmer-261128-0930-k3m9xq'] }),
  z.object({ startedAt: z.number(), runId: z.string() }),
  {
    decode: (text) => {
      const at = text.lastIndexOf('.');
      return { startedAt: Number(text.slice(0, at)), runId: text.slice(at + 1) };
    },
    encode: ({ startedAt, runId }) => `${startedAt}.${runId}`,
  },
);

export const RunQuery = z.object({
  consortium: ConsortiumId.optional().describe('Only those of this consortium.'),
  state: RunState.optional().describe('Only those that are in this state now.'),
  site: SiteId.optional().describe('Only those in which this site takes part.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: Cursor.optional().describe('The `next` of the page before.'),
});
export type RunQuery = z.output<typeof RunQuery>;

export type ListedRun = KnownRun & { sites: number };

export const summaryOf = ({ view, sites }: ListedRun): RunSummary => ({ ...view, sites });

/** The page, and what to ask for the next one with, if there is one. */
export async function pageOfRuns(
  db: Database,
  visible: SQL | undefined,
  { limit, ...query }: RunQuery,
): Promise<{ rows: ListedRun[]; next: string | undefined }> {
  const rows = await selectPage(db, visible, { limit: limit + 1, ...query });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { rows: await withSites(db, page), next: last && Cursor.encode(last) };
}

/** The query behind a page. */
export function selectPage(
  db: Database,
  visible: SQL | undefined,
  { consortium, state, site, limit, after }: RunQuery,
) {
  const ofSite =
    site === undefined
      ? undefined
      : exists(
          db
            .select({ one: sql`1` })
            .from(nodes)
            .where(and(eq(nodes.runId, runs.runId), eq(nodes.node, site))),
        );
  return db
    .select(runColumns)
    .from(runs)
    .where(
      and(
        visible,
        consortium === undefined ? undefined : eq(runs.consortiumId, consortium),
        state === undefined ? undefined : eq(runs.state, state),
        ofSite,
        after && sql`(${runs.startedAt}, ${runs.runId}) < (${after.startedAt}, ${after.runId})`,
      ),
    )
    .orderBy(desc(runs.startedAt), desc(runs.runId))
    .limit(limit);
}

/** Runs by their ids. */
export async function runsOf(db: Database, ids: readonly string[]): Promise<ListedRun[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select(runColumns)
    .from(runs)
    .where(inArray(runs.runId, [...ids]));
  return withSites(db, rows);
}

async function withSites(db: Database, rows: readonly KnownRun[]): Promise<ListedRun[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ runId }) => runId);
  const counts = await db
    .select({ runId: nodes.runId, sites: count() })
    .from(nodes)
    .where(and(inArray(nodes.runId, ids), ne(nodes.node, CENTRAL_NODE)))
    .groupBy(nodes.runId);
  const sites = new Map(counts.map((row) => [row.runId, row.sites]));
  return rows.map((row) => ({ ...row, sites: sites.get(row.runId) ?? 0 }));
}
