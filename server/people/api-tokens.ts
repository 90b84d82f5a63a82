/** Tokens that people make for their programs: shown once, and good for a part of what their owner may do. */
import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Person } from '../access';
import type { Database } from '../db/client';
import { apiTokens, people } from '../db/schema';
import { HttpProblem } from '../problem';
import { asPerson, personColumns } from './grants';
import { digestOf, TOKEN_PREFIX } from './secrets';

/** When a token was last used is known to the minute. */
const USE_MS = 60_000;

export interface ApiTokens {
  /** Whose token it is. @throws HttpProblem `unauthenticated` */
  verify(token: string): Promise<Person>;
}

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
  };
}
