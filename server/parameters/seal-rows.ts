/**
 * When an API starts, it seals by the key of today what another key sealed, or an API of before left as it was. So a key that was
 * replaced is not needed any more.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import type { Database } from '../db/client';
import { consortia, runs } from '../db/schema';
import { HttpProblem } from '../problem';
import { rowOf, type ParameterSeal, type StoredParameters } from './seal';

/** Answers how many rows stay as they are, for want of the key that sealed them. */
export async function sealRows(db: Database, parameters: ParameterSeal): Promise<number> {
  const isOutdated = (column: SQL) => sql`not starts_with(${column}, ${parameters.head})`;
  const seal = (stored: StoredParameters, row: string) => parameters.seal(parameters.open(stored, row), row);
  let left = 0;

  const outdatedBody = isOutdated(sql`${consortia.body} ->> 'parameters'`);
  for (const { id, body } of await db.select().from(consortia).where(outdatedBody)) {
    const sealed = unlessKeyMissing(() => seal(body.parameters, rowOf.consortium(id)));
    if (sealed === undefined) left++;
    else
      await db
        .update(consortia)
        .set({ body: { ...body, parameters: sealed } })
        .where(and(eq(consortia.id, id), outdatedBody));
  }

  const outdatedInput = isOutdated(sql`${runs.input} ->> 'parameters'`);
  for (const { runId } of await db.select({ runId: runs.runId }).from(runs).where(outdatedInput)) {
    const [row] = await db.select().from(runs).where(eq(runs.runId, runId));
    const sealed = unlessKeyMissing(() => ({
      input: row?.input && { ...row.input, parameters: seal(row.input.parameters, rowOf.run(runId)) },
      requested: row?.requested && seal(row.requested, rowOf.request(runId)),
    }));
    if (sealed === undefined) left++;
    else
      await db
        .update(runs)
        .set(sealed)
        .where(and(eq(runs.runId, runId), outdatedInput));
  }
  return left;
}

function unlessKeyMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof HttpProblem) return undefined;
    throw error;
  }
}
