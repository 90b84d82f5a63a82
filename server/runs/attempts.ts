/** The launches of a run, and who asked for each. */
import { and, asc, eq } from 'drizzle-orm';
import type { Attempt } from '../../workflows/api-contract';
import type { Database } from '../db/client';
import { attempts, retries } from '../db/schema';

/** What is known of the launches of a run, the oldest first. */
export async function readAttempts(
  db: Database,
  { runId, startedBy }: { runId: string; startedBy: string },
): Promise<Attempt[]> {
  const rows = await db
    .select({ attempt: attempts, retry: retries })
    .from(attempts)
    .leftJoin(retries, and(eq(retries.runId, attempts.runId), eq(retries.execution, attempts.execution)))
    .where(eq(attempts.runId, runId))
    .orderBy(asc(attempts.position));
  return rows.map(({ attempt, retry }, index) => ({
    launchId: attempt.launchId,
    ...(attempt.node !== null && { node: attempt.node }),
    ...originOf(attempt, retry, index === 0 ? startedBy : undefined),
    ...outcomeOf(attempt),
  }));
}

type Row = typeof attempts.$inferSelect;

function outcomeOf({ startedAt, state, endedAt, error }: Row) {
  return {
    ...{ startedAt, state },
    ...(endedAt !== null && { endedAt }),
    ...(error !== null && { error }),
  };
}

/** @param startedBy of a run's first launch */
function originOf(
  { node, by, reason }: Row,
  retry: Pick<typeof retries.$inferSelect, 'by' | 'reason'> | null,
  startedBy: string | undefined,
): Pick<Attempt, 'how' | 'from' | 'by' | 'reason'> {
  // The run itself was asked, so that it was under way.
  if (by !== null) return { how: 'retry', from: node === null ? 'launch' : 'sites', by, ...because(reason) };
  if (retry) return { how: 'retry', from: 'provision', by: retry.by, ...because(retry.reason) };
  if (startedBy !== undefined) return { how: 'start', by: startedBy };
  return { how: 'temporal', by: 'Temporal' };
}

const because = (reason: string | null) => (reason === null ? {} : { reason });
