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
  return rows.map(({ attempt: { launchId, startedAt, state, endedAt, error }, retry }, index) => ({
    launchId,
    ...originOf(retry, index === 0 ? startedBy : undefined),
    ...{ startedAt, state },
    ...(endedAt !== null && { endedAt }),
    ...(error !== null && { error }),
  }));
}

/** @param startedBy of a run's first launch */
function originOf(
  retry: Pick<typeof retries.$inferSelect, 'by' | 'reason'> | null,
  startedBy: string | undefined,
): Pick<Attempt, 'how' | 'by' | 'reason'> {
  if (retry) return { how: 'retry', by: retry.by, ...(retry.reason !== null && { reason: retry.reason }) };
  if (startedBy !== undefined) return { how: 'start', by: startedBy };
  return { how: 'temporal', by: 'Temporal' };
}
