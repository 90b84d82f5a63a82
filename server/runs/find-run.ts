/** Finds what is known of a run. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client';
import { runColumns, runs } from '../db/schema';
import { HttpProblem } from '../problem';

export type KnownRun = NonNullable<Awaited<ReturnType<typeof lookUpRun>>>;

/** The run's row; `undefined` when no report and no request has made it known. */
export async function lookUpRun(db: Database, runId: string) {
  const [row] = await db.select(runColumns).from(runs).where(eq(runs.runId, runId));
  return row;
}

/** @throws HttpProblem `unknown-run` */
export async function findRun(db: Database, runId: string): Promise<KnownRun> {
  const row = await lookUpRun(db, runId);
  if (row) return row;
  throw unknownRun(runId);
}

export const unknownRun = (runId: string) => new HttpProblem('unknown-run', `There is no run ${runId}.`);
