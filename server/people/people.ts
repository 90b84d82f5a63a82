/** The people of an instance, and who of them may do what where. */
import { and, asc, count, eq, gt, isNull, ne } from 'drizzle-orm';
import type { z } from 'zod';
import type {
  ConsortiumRole,
  Me,
  Member,
  NewPersonBody,
  PersonChange,
  PersonView,
} from '../../workflows/people-contract';
import type { Person } from '../access';
import { mustBeConsortium } from '../consortia/known-consortium';
import type { Database } from '../db/client';
import { consortiumPeople, invitations, people, sitePeople } from '../db/schema';
import { HttpProblem } from '../problem';
import { asPerson, personColumns } from './grants';
import type { Passwords } from './passwords';
import { newId } from './secrets';
import { endAll } from './sessions';

type MemberView = z.output<typeof Member>;

export interface People {
  me(person: Person): Promise<Me>;
  /** A page of them by their e-mail addresses, after that of the page before. */
  list(after: string, limit: number): Promise<PersonView[]>;
  /** @throws HttpProblem `unknown-person` */
  get(id: string): Promise<PersonView>;
  /** Whether somebody is an admin now. */
  isAdmin(id: string): Promise<boolean>;
  /** An account whose first password somebody else chose. @throws HttpProblem `account-exists` */
  add(person: z.output<typeof NewPersonBody>): Promise<PersonView>;
  /** @throws HttpProblem `unknown-person`, `last-admin` */
  change(id: string, change: PersonChange): Promise<PersonView>;
  /** @throws HttpProblem `unknown-consortium` */
  membersOf(consortiumId: string): Promise<MemberView[]>;
  /** Gives somebody a role in a consortium, or takes the one away that they have. @throws HttpProblem */
  setRole(
    by: Person,
    consortiumId: string,
    personId: string,
    role: ConsortiumRole | undefined,
  ): Promise<void>;
  adminsOf(siteId: string): Promise<Omit<MemberView, 'role'>[]>;
  /** @throws HttpProblem `unknown-person` */
  setSiteAdmin(by: Person, siteId: string, personId: string, isOne: boolean): Promise<void>;
}

/** @param deps.clock milliseconds since the epoch */
export function createPeople({
  db,
  passwords,
  clock = Date.now,
}: {
  db: Database;
  passwords: Passwords;
  clock?: () => number;
}): People {
  const columns = {
    ...personColumns,
    ...{ createdAt: people.createdAt, password: people.password, issuer: people.issuer },
  };
  type Row = Parameters<typeof viewOf>[0];

  async function find(id: string): Promise<Row> {
    const [row] = await db.select(columns).from(people).where(eq(people.id, id));
    if (row !== undefined) return row;
    throw new HttpProblem('unknown-person', `There is nobody with the id ${id}.`);
  }

  /** Changes who is an admin or leads something, one change after the other, so that somebody is left. */
  const change = <T>(work: (tx: Database) => Promise<T>): Promise<T> =>
    db.transaction(work, { isolationLevel: 'serializable' });

  return {
    async me(person) {
      const { id, sub, admin, consortia, sites, via, mustChangePassword = false } = person;
      const what = { id, admin, consortia: { ...consortia }, sites: [...sites], via, mustChangePassword };
      const [row] = await db.select(columns).from(people).where(eq(people.id, id));
      if (row === undefined) return { ...what, name: sub, hasPassword: false };
      return { ...what, name: row.name, email: row.email, hasPassword: row.password !== null };
    },

    async list(after, limit) {
      const rows = await db
        .select(columns)
        .from(people)
        .where(gt(people.email, after))
        .orderBy(asc(people.email))
        .limit(limit);
      return rows.map(viewOf);
    },

    get: async (id) => viewOf(await find(id)),

    isAdmin: async (id) =>
      (await db.$count(people, and(eq(people.id, id), eq(people.admin, true), isNull(people.disabledAt)))) >
      0,

    async add({ name, email, password }) {
      const id = newId();
      const kept = await passwords.keep(password);
      const made = await db
        .insert(people)
        .values({ id, name, email, password: kept, mustChangePassword: true, createdAt: clock() })
        .onConflictDoNothing()
        .returning({ id: people.id });
      if (made.length === 0) throw new HttpProblem('account-exists', `There is an account for ${email}.`);
      return viewOf(await find(id));
    },

    async change(id, { admin, disabled }) {
      const { admin: wasAdmin, disabledAt } = await find(id);
      await change(async (tx) => {
        if (disabled === true) {
          await endAll(tx, id);
          await tx
            .delete(invitations)
            .where(and(eq(invitations.createdById, id), isNull(invitations.usedAt)));
        }
        await tx
          .update(people)
          .set({
            id,
            ...(admin !== undefined && { admin }),
            ...(disabled !== undefined && { disabledAt: disabled ? (disabledAt ?? clock()) : null }),
          })
          .where(eq(people.id, id));
        const left = await tx.$count(people, and(eq(people.admin, true), isNull(people.disabledAt)));
        if (wasAdmin && left === 0 && (admin === false || disabled === true))
          throw new HttpProblem(
            'last-admin',
            'Nobody would be an admin any more: make somebody else one before.',
          );
      });
      return viewOf(await find(id));
    },

    async membersOf(consortiumId) {
      await mustBeConsortium(db, consortiumId);
      return db
        .select({ id: people.id, name: people.name, email: people.email, role: consortiumPeople.role })
        .from(consortiumPeople)
        .innerJoin(people, eq(people.id, consortiumPeople.personId))
        .where(eq(consortiumPeople.consortiumId, consortiumId))
        .orderBy(asc(people.email));
    },

    async setRole(by, consortiumId, personId, role) {
      await mustBeConsortium(db, consortiumId);
      await find(personId);
      await change(async (tx) => {
        const ofOthers = and(
          eq(consortiumPeople.consortiumId, consortiumId),
          ne(consortiumPeople.personId, personId),
          eq(consortiumPeople.role, 'lead'),
        );
        const [leads] = await tx.select({ others: count() }).from(consortiumPeople).where(ofOthers);
        if (role !== 'lead' && leads?.others === 0 && !by.admin)
          throw new HttpProblem(
            'last-lead',
            `Nobody would lead the consortium ${consortiumId} any more: make somebody else a lead before.`,
          );
        const one = and(
          eq(consortiumPeople.consortiumId, consortiumId),
          eq(consortiumPeople.personId, personId),
        );
        await tx.delete(consortiumPeople).where(one);
        if (role !== undefined)
          await tx
            .insert(consortiumPeople)
            .values({ consortiumId, personId, role, addedBy: by.sub, addedAt: clock() });
      });
    },

    adminsOf: (siteId) =>
      db
        .select({ id: people.id, name: people.name, email: people.email })
        .from(sitePeople)
        .innerJoin(people, eq(people.id, sitePeople.personId))
        .where(eq(sitePeople.siteId, siteId))
        .orderBy(asc(people.email)),

    async setSiteAdmin(by, siteId, personId, isOne) {
      await find(personId);
      if (isOne)
        await db
          .insert(sitePeople)
          .values({ siteId, personId, addedBy: by.sub, addedAt: clock() })
          .onConflictDoNothing();
      else
        await db
          .delete(sitePeople)
          .where(and(eq(sitePeople.siteId, siteId), eq(sitePeople.personId, personId)));
    },
  };
}

function viewOf(
  row: Parameters<typeof asPerson>[0] & {
    name: string;
    createdAt: number;
    disabledAt: number | null;
    password: string | null;
    issuer: string | null;
  },
): PersonView {
  const { id, admin, consortia, sites } = asPerson(row, { via: 'session' });
  return {
    ...{ id, name: row.name, email: row.email, admin, createdAt: row.createdAt },
    ...{ consortia: { ...consortia }, sites: [...sites] },
    ...(row.disabledAt !== null && { disabledAt: row.disabledAt }),
    signsIn: [
      ...(row.password === null ? [] : ['password' as const]),
      ...(row.issuer === null ? [] : ['provider' as const]),
    ],
  };
}
