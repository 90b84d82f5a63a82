/** Tokens that people make for their programs: shown once, and good for a part of what their owner may do. */
import { and, desc, eq, gt, isNull, lt } from 'drizzle-orm';
import type { Scope, TokenView } from '../../workflows/people-contract';
import type { Person } from '../access';
import type { Database } from '../db/client';
import { apiTokens, people } from '../db/schema';
import { HttpProblem } from '../problem';
import { asPerson, personColumns } from './grants';
import { digestOf, newId, newSecret, TOKEN_PREFIX } from './secrets';

/** When a token was last used is known to the minute. */
const USE_MS = 60_000;

export interface ApiTokens {
  /** Whose token it is. @throws HttpProblem `unauthenticated` */
  verify(token: string): Promise<Person>;
  create(
    personId: string,
    what: { name: string; scope: Scope; expiresAt: number },
  ): Promise<TokenView & { token: string }>;
  /** Those of a person that are good now. */
  list(personId: string): Promise<TokenView[]>;
  /** Answers whether the person had it. */
  remove(personId: string, id: string): Promise<boolean>;
}

type Row = typeof apiTokens.$inferSelect;
const viewOf = ({ id, name, scope, createdAt, expiresAt, usedAt }: Row): TokenView => ({
  ...{ id, name, scope, createdAt, expiresAt },
  ...(usedAt !== null && { usedAt }),
});

export const isApiToken = (token: string): boolean => token.startsWith(TOKEN_PREFIX);

/** @param deps.clock milliseconds since the epoch */
export function createApiTokens({ db, clock = Date.now }: { db: Database; clock?: () => number }): ApiTokens {
  return {
    async verify(token) {
      const [row] = await db
        .select({ token: apiTokens, person: personColumns })
        .from(apiTokens)
        .innerJoin(people, eq(people.id, apiTokens.personId))
        .where(
          and(
            eq(apiTokens.hash, digestOf(token)),
            gt(apiTokens.expiresAt, clock()),
            isNull(people.disabledAt),
          ),
        );
      if (row === undefined)
        throw new HttpProblem(
          'unauthenticated',
          'The personal token is not valid, or no longer: make another one.',
        );
      const { id, usedAt, scope } = row.token;
      if (clock() - (usedAt ?? 0) > USE_MS)
        await db.update(apiTokens).set({ usedAt: clock() }).where(eq(apiTokens.id, id));
      return asPerson(row.person, { via: 'token', scope });
    },

    async create(personId, { name, scope, expiresAt }) {
      const token = TOKEN_PREFIX + newSecret();
      const given = { id: newId(), personId, name, scope, expiresAt, createdAt: clock() };
      await db
        .delete(apiTokens)
        .where(and(eq(apiTokens.personId, personId), lt(apiTokens.expiresAt, clock())));
      await db.insert(apiTokens).values({ ...given, hash: digestOf(token) });
      return { ...viewOf({ ...given, hash: '', usedAt: null }), token };
    },

    async list(personId) {
      const rows = await db
        .select()
        .from(apiTokens)
        .where(and(eq(apiTokens.personId, personId), gt(apiTokens.expiresAt, clock())))
        .orderBy(desc(apiTokens.createdAt));
      return rows.map(viewOf);
    },

    async remove(personId, id) {
      const gone = await db
        .delete(apiTokens)
        .where(and(eq(apiTokens.personId, personId), eq(apiTokens.id, id)))
        .returning({ id: apiTokens.id });
      return gone.length > 0;
    },
  };
}
