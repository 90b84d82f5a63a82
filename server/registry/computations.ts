/**
 * The registry of computations. A version is registered once and means the same from then on: its image is the one that
 * its author's reference named on that day.
 */
import { and, asc, desc, eq, sql } from 'drizzle-orm';
import { isDeepStrictEqual } from 'node:util';
import type { ComputationRecord } from '../../workflows/api-contract';
import type { Computation, ComputationRef } from '../../workflows/contract';
import type { Database } from '../db/client';
import { computations, consortia } from '../db/schema';
import { HttpProblem } from '../problem';
import { checkSchema } from '../runs/parameters';
import type { Images } from './images';

export interface Registry {
  /**
   * Registers a version. The same once more gives what is there.
   * @param replace what another manifest of this version becomes; without it that is refused
   * @throws HttpProblem `invalid-computation`, `computation-exists`, and what {@link Images} throws
   */
  add(
    manifest: Computation,
    addedBy: string,
    replace: boolean,
  ): Promise<{ record: ComputationRecord; isNew: boolean }>;
  /** All versions of all computations, the newest of each first. */
  list(): Promise<ComputationRecord[]>;
  /** @throws HttpProblem `unknown-computation` */
  get(ref: ComputationRef): Promise<ComputationRecord>;
  /** @throws HttpProblem `unknown-computation`, `computation-in-use` */
  remove(ref: ComputationRef): Promise<void>;
}

type Row = typeof computations.$inferSelect;

export function createRegistry({ db, images }: { db: Database; images: Images }): Registry {
  const find = async (ref: ComputationRef) => (await db.select().from(computations).where(is(ref)))[0];

  return {
    async add(manifest, addedBy, replace) {
      checkSchema(manifest);
      const known = await find(manifest);
      if (known && isDeepStrictEqual(known.manifest, manifest) && !replace)
        return { record: recordOf(known), isNew: false };
      if (known && !replace) throw exists(manifest);
      const image = manifest.image === undefined ? null : await images.resolve(manifest.image);
      const { name, version } = manifest;
      const row: Row = { name, version, manifest, image, addedBy, addedAt: Date.now() };
      const target = [computations.name, computations.version];
      const written = replace
        ? await db.insert(computations).values(row).onConflictDoUpdate({ target, set: row }).returning()
        : await db.insert(computations).values(row).onConflictDoNothing().returning();
      // Somebody else was faster while the image was looked up.
      if (written.length === 0) return this.add(manifest, addedBy, replace);
      return { record: recordOf(row), isNew: known === undefined };
    },

    async list() {
      const rows = await db
        .select()
        .from(computations)
        .orderBy(asc(computations.name), desc(computations.addedAt));
      return rows.map(recordOf);
    },

    async get(ref) {
      const row = await find(ref);
      if (row) return recordOf(row);
      throw unknown(ref);
    },

    async remove(ref) {
      const users = await usersOf(db, ref);
      if (users.length > 0) {
        const who = users.map(({ id }) => id).join(', ');
        throw new HttpProblem('computation-in-use', `${nameOf(ref)} is the computation of ${who}.`);
      }
      const removed = await db.delete(computations).where(is(ref)).returning();
      if (removed.length === 0) throw unknown(ref);
    },
  };
}

const is = ({ name, version }: ComputationRef) =>
  and(eq(computations.name, name), eq(computations.version, version));

/** The consortia that run this computation. */
function usersOf(db: Database, { name, version }: ComputationRef): Promise<{ id: string }[]> {
  const of = (key: string) => sql`${consortia.body} -> 'computation' ->> ${key}`;
  return db
    .select({ id: consortia.id })
    .from(consortia)
    .where(and(eq(of('name'), name), eq(of('version'), version)))
    .orderBy(asc(consortia.id));
}

function recordOf({ manifest, image, addedBy, addedAt }: Row): ComputationRecord {
  const { image: reference, ...rest } = manifest;
  if (image === null || reference === undefined) return { computation: rest, addedBy, addedAt };
  const { digest, labels } = image;
  return { computation: { ...rest, image: digest }, image: { reference, labels }, addedBy, addedAt };
}

const nameOf = ({ name, version }: ComputationRef) => `${name} ${version}`;

const unknown = (ref: ComputationRef) =>
  new HttpProblem('unknown-computation', `${nameOf(ref)} is not registered.`);

const exists = (ref: ComputationRef) =>
  new HttpProblem(
    'computation-exists',
    `${nameOf(ref)} is registered with another manifest: give the new one a version of its own, or replace it.`,
  );
