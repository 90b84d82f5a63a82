/** People of the tests: each has an account and a personal token in the database of the server that they call. */
import { createHash } from 'node:crypto';
import type { Database } from '../../server/db/client';
import { apiTokens, consortiumPeople, people, sitePeople } from '../../server/db/schema';
import { digestOf, TOKEN_PREFIX } from '../../server/people/secrets';
import type { ConsortiumRole, Scope } from '../../workflows/people-contract';
import { eq } from 'drizzle-orm';

export interface TestPerson {
  role: 'person';
  sub: string;
  admin?: boolean;
  consortia?: Readonly<Record<string, ConsortiumRole>>;
  sites?: readonly string[];
  scope?: Scope;
}

/** Somebody with a role in consortia. */
export const person = (sub: string, more: Omit<TestPerson, 'role' | 'sub'> = {}): TestPerson => ({
  ...{ role: 'person', sub },
  ...more,
});
export const lead = (...consortia: string[]): TestPerson =>
  person('lead@example.org', { consortia: Object.fromEntries(consortia.map((id) => [id, 'lead'])) });

/** Lets the person have an account with just these grants; answers a token of theirs. */
export async function tokenOf(db: Database, given: TestPerson): Promise<string> {
  const { sub, admin = false, consortia = {}, sites = [], scope = 'all' } = given;
  const now = Date.now();
  const id = createHash('sha256').update(sub).digest('hex').slice(0, 12);
  const token = `${TOKEN_PREFIX}${createHash('sha256').update(`${sub} ${scope}`).digest('base64url')}`;
  await db.transaction(async (tx) => {
    await tx
      .insert(people)
      .values({ id, name: sub.split('@')[0] ?? sub, email: sub, admin, createdAt: now })
      .onConflictDoUpdate({ target: people.id, set: { admin } });
    await tx.delete(consortiumPeople).where(eq(consortiumPeople.personId, id));
    await tx.delete(sitePeople).where(eq(sitePeople.personId, id));
    for (const [consortiumId, role] of Object.entries(consortia))
      await tx
        .insert(consortiumPeople)
        .values({ consortiumId, personId: id, role, addedBy: 'a test', addedAt: now });
    for (const siteId of sites)
      await tx.insert(sitePeople).values({ siteId, personId: id, addedBy: 'a test', addedAt: now });
    await tx
      .insert(apiTokens)
      .values({
        ...{ id: digestOf(token).slice(0, 18), personId: id, name: 'of a test', hash: digestOf(token) },
        ...{ scope, createdAt: now, expiresAt: now + 3_600_000 },
      })
      .onConflictDoNothing();
  });
  return token;
}
