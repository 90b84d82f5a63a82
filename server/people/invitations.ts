/**
 * Invitations: links by which somebody gets an account and what they may do, or a new password for the account that they have.
 * Each is good once and for some days. What it grants, whoever made it must be able to grant when it is used, too.
 */
import { and, desc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { Grants, InvitationView } from '../../workflows/people-contract';
import { holds, mustAnswerFor, operator, type Person } from '../access';
import { mustBeConsortia } from '../consortia/known-consortium';
import type { Database } from '../db/client';
import { consortiumPeople, invitations, people, sitePeople } from '../db/schema';
import { HttpProblem } from '../problem';
import { asPerson, personColumns } from './grants';
import type { Passwords } from './passwords';
import { digestOf, newId, newSecret } from './secrets';
import { endAll } from './sessions';
import type { FindSiteTies } from './site-ties';

const DAY_MS = 86_400_000;
const INVITATION_MS = 7 * DAY_MS;
/** Of links that need no invitation to be made: for a new password, and for the first admin. */
const SHORT_MS = DAY_MS;

const NOTHING: Grants = { admin: false, consortia: {}, sites: [] };

/** Who makes the link for the first admin: nobody, when the server starts. */
const FIRST: Pick<Person, 'id' | 'sub'> = { id: 'muster', sub: 'Muster' };

/** A link for the first admin, in place of the one before; `undefined` when there is an admin. */
export async function inviteFirstAdmin(db: Database): Promise<MadeInvitation | undefined> {
  if ((await db.$count(people, and(eq(people.admin, true), isNull(people.disabledAt)))) > 0) return undefined;
  await db.delete(invitations).where(and(eq(invitations.createdById, FIRST.id), isNull(invitations.usedAt)));
  return make(db, FIRST, { grants: { ...NOTHING, admin: true } }, { at: Date.now(), lifetimeMs: SHORT_MS });
}

async function make(
  db: Database,
  by: Pick<Person, 'id' | 'sub'>,
  what: Pick<InvitationRow, 'grants'> & Partial<Pick<InvitationRow, 'email' | 'resets'>>,
  { at, lifetimeMs }: { at: number; lifetimeMs: number },
): Promise<MadeInvitation> {
  const code = newSecret();
  const made = { id: newId(), createdAt: at, expiresAt: at + lifetimeMs };
  await db
    .insert(invitations)
    .values({ ...made, ...what, hash: digestOf(code), createdBy: by.sub, createdById: by.id });
  return { id: made.id, code, expiresAt: made.expiresAt };
}

export type InvitationRow = typeof invitations.$inferSelect;

export interface MadeInvitation {
  id: string;
  code: string;
  expiresAt: number;
}

/** Somebody who comes with a code. */
export interface Newcomer {
  name: string;
  email: string;
  /** How they sign in from now on. */
  by: { password: string } | { issuer: string; subject: string };
}

export interface Invitations {
  /** @throws HttpProblem where `by` may not grant that much */
  create(by: Person, wanted: { email?: string | undefined } & Grants): Promise<MadeInvitation>;
  /** A link by which the account gets a new password. */
  reset(by: Person, personId: string): Promise<MadeInvitation>;
  /** @throws HttpProblem `invalid-invitation` */
  look(code: string): Promise<InvitationRow>;
  /** One that is open and for this address, which must be known to be theirs. */
  openFor(email: string): Promise<InvitationRow | undefined>;
  /** Makes the account; answers its id. @throws HttpProblem */
  join(invitation: InvitationRow, newcomer: Newcomer): Promise<string>;
  /** Gives somebody who has an account what the invitation grants. @throws HttpProblem */
  add(invitation: InvitationRow, person: Person): Promise<void>;
  /** Sets the password that the link is for; answers whose it is. @throws HttpProblem */
  setPassword(invitation: InvitationRow, password: string): Promise<string>;
  /** Those that somebody made, or all for an admin, the newest first. */
  list(by: Person): Promise<z.output<typeof InvitationView>[]>;
  /** Answers whether there was such an open one that `by` may take back. */
  revoke(by: Person, id: string): Promise<boolean>;
}

export function createInvitations({
  db,
  passwords,
  findSiteTies,
  clock = Date.now,
}: {
  db: Database;
  passwords: Passwords;
  findSiteTies: FindSiteTies;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}): Invitations {
  const isOpen = () => and(isNull(invitations.usedAt), gt(invitations.expiresAt, clock()));

  /** @throws HttpProblem */
  async function mustGrant(by: Person, { admin, consortia: wanted, sites }: Grants): Promise<void> {
    if (admin && !by.admin) throw new HttpProblem('forbidden', 'Only an admin invites an admin.');
    const ids = Object.keys(wanted);
    for (const id of ids)
      if (!holds(by, id, 'lead'))
        throw new HttpProblem('forbidden', `${by.sub} does not lead the consortium ${id}.`);
    await mustBeConsortia(db, ids);
    for (const ties of await findSiteTies.ofAll(sites)) mustAnswerFor(by, ties);
  }

  /** Whoever made it, as they are now. @throws HttpProblem */
  async function mustStillGrant({ createdById, createdBy, grants, resets }: InvitationRow): Promise<void> {
    if (createdById === FIRST.id || createdById === operator(createdBy).id) return;
    const [row] = await db
      .select(personColumns)
      .from(people)
      .where(and(eq(people.id, createdById), isNull(people.disabledAt)));
    if (row === undefined || (resets !== null && !row.admin)) throw invalid();
    await mustGrant(asPerson(row, { via: 'session' }), grants).catch((error: unknown) => {
      throw error instanceof HttpProblem ? invalid() : error;
    });
  }

  /** Marks it as used by a person, once. @throws HttpProblem */
  async function use(tx: Database, { id }: InvitationRow, usedBy: string): Promise<void> {
    const used = await tx
      .update(invitations)
      .set({ usedAt: clock(), usedBy })
      .where(and(eq(invitations.id, id), isOpen()))
      .returning({ id: invitations.id });
    if (used.length === 0) throw invalid();
  }

  async function grant(tx: Database, { grants, createdBy }: InvitationRow, personId: string): Promise<void> {
    const how = { personId, addedBy: createdBy, addedAt: clock() };
    if (grants.admin) await tx.update(people).set({ admin: true }).where(eq(people.id, personId));
    const [row] = await tx.select(personColumns).from(people).where(eq(people.id, personId));
    const before = row && asPerson(row, { via: 'session' });
    const roles = Object.entries(grants.consortia)
      // An invitation takes nothing away.
      .filter(([consortiumId, role]) => before?.admin !== false || !holds(before, consortiumId, role))
      .map(([consortiumId, role]) => ({ consortiumId, role, ...how }));
    if (roles.length > 0)
      await tx
        .insert(consortiumPeople)
        .values(roles)
        .onConflictDoUpdate({
          target: [consortiumPeople.consortiumId, consortiumPeople.personId],
          set: { role: sql.raw('excluded.role'), addedBy: createdBy, addedAt: clock() },
        });
    const sites = [...new Set(grants.sites)].map((siteId) => ({ siteId, ...how }));
    if (sites.length > 0) await tx.insert(sitePeople).values(sites).onConflictDoNothing();
  }

  return {
    async create(by, { email = null, ...grants }) {
      await mustGrant(by, grants);
      return make(db, by, { email, grants }, { at: clock(), lifetimeMs: INVITATION_MS });
    },

    reset: (by, resets) => make(db, by, { grants: NOTHING, resets }, { at: clock(), lifetimeMs: SHORT_MS }),

    async look(code) {
      const [row] = await db
        .select()
        .from(invitations)
        .where(and(eq(invitations.hash, digestOf(code)), isOpen()));
      if (row === undefined) throw invalid();
      await mustStillGrant(row);
      return row;
    },

    async openFor(email) {
      const rows = await db
        .select()
        .from(invitations)
        .where(and(eq(invitations.email, email), isNull(invitations.resets), isOpen()))
        .orderBy(desc(invitations.createdAt));
      const [row] = rows;
      if (row !== undefined) await mustStillGrant(row);
      return row;
    },

    async join(invitation, { name, email, by }) {
      const id = newId();
      const how = 'password' in by ? { password: await passwords.keep(by.password) } : by;
      await db.transaction(async (tx) => {
        await use(tx, invitation, id);
        const made = await tx
          .insert(people)
          .values({ id, name, email, createdAt: clock(), ...how })
          .onConflictDoNothing()
          .returning({ id: people.id });
        if (made.length === 0)
          throw new HttpProblem(
            'account-exists',
            `There is an account for ${email}: sign in, and then open the invitation again.`,
          );
        await grant(tx, invitation, id);
      });
      return id;
    },

    async add(invitation, person) {
      if (invitation.email !== null && invitation.email !== person.sub)
        throw new HttpProblem('forbidden', `The invitation is not for ${person.sub}.`);
      await db.transaction(async (tx) => {
        await use(tx, invitation, person.id);
        await grant(tx, invitation, person.id);
      });
    },

    async setPassword(invitation, password) {
      const { resets } = invitation;
      if (resets === null) throw invalid();
      const kept = await passwords.keep(password);
      await db.transaction(async (tx) => {
        await use(tx, invitation, resets);
        await tx
          .update(people)
          .set({ password: kept, mustChangePassword: false, failures: 0, lockedUntil: null })
          .where(eq(people.id, resets));
        await endAll(tx, resets);
      });
      return resets;
    },

    async list(by) {
      const rows = await db
        .select()
        .from(invitations)
        .where(by.admin ? undefined : eq(invitations.createdById, by.id))
        .orderBy(desc(invitations.createdAt), desc(invitations.id))
        .limit(MOST_LISTED);
      return rows.map(viewOf);
    },

    async revoke(by, id) {
      const mine = by.admin ? undefined : eq(invitations.createdById, by.id);
      const gone = await db
        .delete(invitations)
        .where(and(eq(invitations.id, id), isNull(invitations.usedAt), mine))
        .returning({ id: invitations.id });
      return gone.length > 0;
    },
  };
}

const MOST_LISTED = 500;

const viewOf = (row: InvitationRow): z.output<typeof InvitationView> => ({
  ...{ id: row.id, createdBy: row.createdBy, createdAt: row.createdAt, expiresAt: row.expiresAt },
  ...{ ...row.grants, resets: row.resets !== null },
  ...(row.email !== null && { email: row.email }),
  ...(row.usedAt !== null && { usedAt: row.usedAt }),
});

const invalid = () =>
  new HttpProblem(
    'invalid-invitation',
    'The link is not good: it was used before, has run out, or was taken back. Ask for a new one.',
  );
