/** Whether there is such a consortium, for whoever works on something of it. */
import { inArray } from 'drizzle-orm';
import type { Database } from '../db/client';
import { consortia } from '../db/schema';
import { HttpProblem } from '../problem';

/** @throws HttpProblem `unknown-consortium` */
export const mustBeConsortium = (db: Database, id: string): Promise<void> => mustBeConsortia(db, [id]);

/** The same of all of them, asked at once. @throws HttpProblem `unknown-consortium` */
export async function mustBeConsortia(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await db
    .select({ id: consortia.id })
    .from(consortia)
    .where(inArray(consortia.id, [...ids]));
  const known = new Set(rows.map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined)
    throw new HttpProblem('unknown-consortium', `There is no consortium ${unknown}.`);
}
