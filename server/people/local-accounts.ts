/** Signing in by a password, where accounts are kept here. Who does not have the right one learns nothing, also not by waiting. */
import { and, eq, isNull, lte, or, sql } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import type { Person } from '../access';
import type { Database } from '../db/client';
import { people } from '../db/schema';
import { HttpProblem } from '../problem';
import type { Passwords } from './passwords';
import { endSessions } from './sessions';

/** So many wrong passwords cost nothing; each one after that a pause, twice as long as the one before. */
const FREE_FAILURES = 5;
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 900_000;

export interface LocalAccounts {
  /** Whose password it is. @throws HttpProblem `unauthenticated`, in the same words whatever is wrong */
  signIn(email: string, password: string): Promise<string>;
  /** @throws HttpProblem `forbidden` where the current one is not right */
  change(person: Person, current: string, next: string): Promise<void>;
}

/** How long no password is looked at after so many wrong ones. */
export function pauseAfter(failures: number): number {
  const over = failures - FREE_FAILURES;
  return over < 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(over, 30));
}

export function createLocalAccounts({
  db,
  passwords,
  log,
  clock = Date.now,
}: {
  db: Database;
  passwords: Passwords;
  log: FastifyBaseLogger;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}): LocalAccounts {
  /** Whether it is the password of the account, which pauses after wrong ones. */
  async function isRight(
    account: typeof people.$inferSelect | undefined,
    password: string,
  ): Promise<boolean> {
    const fits = await passwords.fits(password, account?.password ?? null);
    if (account === undefined) return false;
    const now = clock();
    // Looked at in the database and after all the work, so that many tries at once are as many.
    const isOpen = and(
      eq(people.id, account.id),
      or(isNull(people.lockedUntil), lte(people.lockedUntil, now)),
    );
    if (fits) {
      const forgiven = { failures: 0, lockedUntil: null };
      return (await db.update(people).set(forgiven).where(isOpen).returning({ id: people.id })).length > 0;
    }
    const [row] = await db
      .update(people)
      .set({ failures: sql`${people.failures} + 1` })
      .where(isOpen)
      .returning({ failures: people.failures });
    const pause = pauseAfter(row?.failures ?? 0);
    if (pause > 0) {
      await db
        .update(people)
        .set({ lockedUntil: now + pause })
        .where(eq(people.id, account.id));
      log.warn(
        { personId: account.id, failures: row?.failures, pause },
        'wrong passwords: the account pauses',
      );
    }
    return false;
  }

  return {
    async signIn(email, password) {
      const [account] = await db.select().from(people).where(eq(people.email, email.toLowerCase()));
      const right = await isRight(account, password);
      if (right && account?.disabledAt === null) return account.id;
      throw new HttpProblem('unauthenticated', WRONG);
    },

    async change(person, current, next) {
      const [account] = await db.select().from(people).where(eq(people.id, person.id));
      if (account === undefined || account.password === null)
        throw new HttpProblem('forbidden', `${person.sub} does not sign in here by a password.`);
      if (!(await isRight(account, current)))
        throw new HttpProblem(
          'forbidden',
          'The current password is not right, or was wrong too often just now.',
        );
      if (current === next)
        throw new HttpProblem('invalid-request', 'The new password is the current one.', [
          { pointer: '/next', detail: 'is the current one' },
        ]);
      const kept = await passwords.keep(next);
      await db
        .update(people)
        .set({ password: kept, mustChangePassword: false })
        .where(eq(people.id, person.id));
      await endSessions(db, person.id, person.sessionId);
    },
  };
}

const WRONG =
  'The e-mail address or the password is not right. After several wrong ones none is looked at for some minutes.';
