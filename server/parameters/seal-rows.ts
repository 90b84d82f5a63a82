/** Parameters that an API of before left in the database as they were are sealed when an API of today starts. */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import type { Database } from '../db/client';
import { consortia, runs } from '../db/schema';
import { rowOf, type ParameterSeal, type StoredParameters } from './seal';

export async function sealRows(db: Database, parameters: ParameterSeal): Promise<void> {
  const seal = (plain: StoredParameters, row: string) => parameters.seal(parameters.open(plain, row), row);

  const plainBody = isObject(sql`${consortia.body} -> 'parameters'`);
  for (const { id, body } of await db.select().from(consortia).where(plainBody)) {
    const sealed = { ...body, parameters: seal(body.parameters, rowOf.consortium(id)) };
    await db
      .update(consortia)
      .set({ body: sealed })
      .where(and(eq(consortia.id, id), plainBody));
  }

  const plainInput = isObject(sql`${runs.input} -> 'parameters'`);
  const withPlainInput = { runId: runs.runId, input: runs.input, requested: runs.requested };
  for (const { runId, input, requested } of await db.select(withPlainInput).from(runs).where(plainInput)) {
    await db
      .update(runs)
      .set({
        input: input && { ...input, parameters: seal(input.parameters, rowOf.run(runId)) },
        requested: requested && seal(requested, rowOf.request(runId)),
      })
      .where(and(eq(runs.runId, runId), plainInput));
  }
}

const isObject = (value: SQL) => sql`json_typeof(${value}) = 'object'`;
