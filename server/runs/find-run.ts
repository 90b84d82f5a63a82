/** Finds what is known of a run. */
import { and, eq } from 'drizzle-orm';
import type { Database } from '../db/client';
import { nodes, runColumns, runs } from '../db/schema';
import { HttpProblem } from '../problem';

export type KnownRun = NonNullable<Awaited<ReturnType<typeof lookUpRun>>>;

/** The run's row; `undefined` when no report and no request has made it known. */
export async function lookUpRun(db: Database, runId: string) {
  const [row] = await db.select(runColumns).from(runs).where(eq(runs.runId, runId));
  return row;
}

/** The row of a node of the run. */
export async function lookUpNode(db: Database, runId: string, node: string) {
  const [row] = await db
    .select()
    .from(nodes)
    .where(and(eq(nodes.runId, runId), eq(nodes.node, node)));
  return row;
}

/** @throws HttpProblem `unknown-run` */
export async function findRun(db: Database, runId: string): Promise<KnownRun> {
  const row = await lookUpRun(db, runId);
  if (row) return row;
  throw unknownRun(runId);
}

export const unknownRun = (runId: string) => new HttpProblem('unknown-run', `There is no run ${runId}.`);
