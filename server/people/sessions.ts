/** Sessions: browsers in which somebody is signed in. They end by themselves when nobody uses them, and after a week anyway. */
import { and, desc, eq, gt, inArray, isNull, lt, ne, or } from 'drizzle-orm';
import { createHmac } from 'node:crypto';
import type { SessionList } from '../../workflows/people-contract';
import { operator, type Person } from '../access';
import type { Database } from '../db/client';
import { apiTokens, people, sessions } from '../db/schema';
import { asPerson, personColumns } from './grants';
import { digestOf, newId, newSecret } from './secrets';

const HOUR_MS = 3_600_000;
export const IDLE_MS = 12 * HOUR_MS;
export const LONGEST_MS = 7 * 24 * HOUR_MS;
/** When a session was last used is known to the minute. */
const USE_MS = 60_000;
const MAX_AGENT = 200;

/** Whose session it is to be. */
export type Owner =
  | { personId: string }
  /** Named by an operator's token, which is good until then. */
  | { operator: string; until: number };

export interface NewSession {
  /** What the browser is to show. */
  secret: string;
  expiresAt: number;
}

export interface Sessions {
  create(owner: Owner, from: { address: string; agent: string }): Promise<NewSession>;
  /**
   * Whose session it is; `undefined`: none that is good now.
   * @param isUse whether somebody uses it, so that it goes on
   */
  verify(secret: string, isUse?: boolean): Promise<Person | undefined>;
  list(person: Person): Promise<SessionList['sessions']>;
  /** Ends a session of the person; answers whether there was one. */
  end(person: Person, id: string): Promise<boolean>;
}

export function createSessions({
  db,
  secret: apiSecret,
  clock = Date.now,
}: {
  db: Database;
  /** By which operators' tokens are signed: with another one, sessions made of them are good no more. */
  secret: string;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}): Sessions {
  const operatorsDigest = (secret: string) => createHmac('sha256', apiSecret).update(secret).digest('hex');
  const isOf = ({ id, sub }: Person) =>
    or(eq(sessions.personId, id), id === operator(sub).id ? eq(sessions.operator, sub) : undefined);
  const isGood = () => and(gt(sessions.expiresAt, clock()), gt(sessions.seenAt, clock() - IDLE_MS));

  return {
    async create(owner, { address, agent }) {
      const now = clock();
      const secret = newSecret();
      const isOperators = 'operator' in owner;
      const expiresAt = Math.min(now + LONGEST_MS, isOperators ? owner.until : Infinity);
      await db.delete(sessions).where(or(lt(sessions.expiresAt, now), lt(sessions.seenAt, now - IDLE_MS)));
      await db.insert(sessions).values({
        ...{ id: newId(), hash: isOperators ? operatorsDigest(secret) : digestOf(secret) },
        ...(isOperators ? { operator: owner.operator } : { personId: owner.personId }),
        ...{ createdAt: now, seenAt: now, expiresAt, address, agent: agent.slice(0, MAX_AGENT) },
      });
      return { secret, expiresAt };
    },

    async verify(secret, isUse = true) {
      const hashes = [digestOf(secret), operatorsDigest(secret)];
      const [row] = await db
        .select({ session: sessions, person: personColumns })
        .from(sessions)
        .leftJoin(people, eq(people.id, sessions.personId))
        .where(and(inArray(sessions.hash, hashes), isGood(), isNull(people.disabledAt)));
      if (row === undefined) return undefined;
      const { id: sessionId, operator: name, seenAt } = row.session;
      if (isUse && clock() - seenAt > USE_MS)
        await db.update(sessions).set({ seenAt: clock() }).where(eq(sessions.id, sessionId));
      if (name !== null) return { ...operator(name), via: 'session', sessionId };
      return row.person === null ? undefined : asPerson(row.person, { via: 'session', sessionId });
    },

    async list(person) {
      const rows = await db
        .select()
        .from(sessions)
        .where(and(isOf(person), isGood()))
        .orderBy(desc(sessions.seenAt));
      return rows.map(({ id, createdAt, seenAt, expiresAt, address, agent }) => ({
        ...{ id, current: id === person.sessionId, createdAt, seenAt },
        ...{ expiresAt: Math.min(expiresAt, seenAt + IDLE_MS), address, agent },
      }));
    },

    async end(person, id) {
      const ended = await db
        .delete(sessions)
        .where(and(isOf(person), eq(sessions.id, id)))
        .returning({ id: sessions.id });
      return ended.length > 0;
    },
  };
}

/** Ends the sessions of a person, but for one that may stay. */
export async function endSessions(db: Database, personId: string, but = ''): Promise<void> {
  await db.delete(sessions).where(and(eq(sessions.personId, personId), ne(sessions.id, but)));
}

/** Ends all by which somebody could act for a person. */
export async function endAll(db: Database, personId: string): Promise<void> {
  await endSessions(db, personId);
  await db.delete(apiTokens).where(eq(apiTokens.personId, personId));
}
