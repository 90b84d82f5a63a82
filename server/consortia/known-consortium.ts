/** Whether there is such a consortium, for whoever works on something of it. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client';
import { consortia } from '../db/schema';
import { HttpProblem } from '../problem';

/** @throws HttpProblem `unknown-consortium` */
export async function mustBeConsortium(db: Database, id: string): Promise<void> {
  if ((await db.$count(consortia, eq(consortia.id, id))) === 0)
    throw new HttpProblem('unknown-consortium', `There is no consortium ${id}.`);
}
