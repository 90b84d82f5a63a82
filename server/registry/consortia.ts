/**
 * The consortia. Their parameters are sealed in the database, and those that are secret are shown to nobody: who changes a
 * consortium leaves them out, and they stay.
 */
import { asc, eq, inArray } from 'drizzle-orm';
import type { ConsortiumBody, ConsortiumView } from '../../workflows/api-contract';
import type { Computation, ComputationRef } from '../../workflows/contract';
import type { Database } from '../db/client';
import { consortia } from '../db/schema';
import { rowOf, type ParameterSeal } from '../parameters/seal';
import { publicPart, secretPlaces, withSecretsOf } from '../parameters/secret-places';
import { HttpProblem, jsonPointer } from '../problem';
import type { Registry } from './computations';

/** A consortium with all of its parameters. */
export type Consortium = ConsortiumBody & { id: string };

export interface Consortia {
  /** @throws HttpProblem `unknown-consortium` */
  get(id: string): Promise<Consortium>;
  /** Creates or replaces it. @throws HttpProblem `unknown-computation` */
  put(id: string, body: ConsortiumBody): Promise<Consortium>;
  /** Those of these ids, or all. */
  list(ids: readonly string[] | undefined): Promise<Consortium[]>;
  /** What of a consortium is shown. */
  view(consortium: Consortium): Promise<ConsortiumView>;
}

type Row = typeof consortia.$inferSelect;
/** Of a computation that is not known here nothing is clearly public. */
const ALL_SECRET = { writeOnly: true };
const NOTHING_KEPT = { schema: {}, parameters: {} };

export function createConsortia(deps: {
  db: Database;
  registry: Registry;
  parameters: ParameterSeal;
}): Consortia {
  const { db, registry, parameters: seal } = deps;

  const opened = ({ id, body }: Row): Consortium => {
    const parameters = seal.open(body.parameters, rowOf.consortium(id));
    return { ...body, id, parameters };
  };

  async function find(id: string): Promise<Consortium | undefined> {
    const [row] = await db.select().from(consortia).where(eq(consortia.id, id));
    return row && opened(row);
  }

  /** The body with the secrets that the consortium had, where it leaves them out; other computations get none of them. */
  async function completed(id: string, body: ConsortiumBody): Promise<ConsortiumBody> {
    const { computation } = await registry.get(body.computation);
    const before = await find(id);
    const kept =
      before?.computation.name === computation.name
        ? { schema: await schemaOf(before.computation), parameters: before.parameters }
        : NOTHING_KEPT;
    return { ...body, parameters: withSecretsOf(kept, computation.parameters, body.parameters) };
  }

  async function schemaOf(ref: ComputationRef): Promise<Computation['parameters']> {
    const known = await registry.get(ref).catch((error: unknown) => {
      if (error instanceof HttpProblem) return undefined;
      throw error;
    });
    return known?.computation.parameters ?? ALL_SECRET;
  }

  return {
    async get(id) {
      const consortium = await find(id);
      if (consortium) return consortium;
      throw new HttpProblem('unknown-consortium', `There is no consortium ${id}.`);
    },

    async put(id, body) {
      const whole = await completed(id, body);
      const sealed = { ...whole, parameters: seal.seal(whole.parameters, rowOf.consortium(id)) };
      await db
        .insert(consortia)
        .values({ id, body: sealed })
        .onConflictDoUpdate({ target: consortia.id, set: { body: sealed } });
      return { ...whole, id };
    },

    async list(ids) {
      const rows = await db
        .select()
        .from(consortia)
        .where(ids && inArray(consortia.id, [...ids]))
        .orderBy(asc(consortia.id));
      return rows.map(opened);
    },

    async view(consortium) {
      const { parameters, ...rest } = consortium;
      const schema = await schemaOf(consortium.computation);
      const secrets = secretPlaces(schema, parameters).map(jsonPointer);
      return { ...rest, parameters: publicPart(schema, parameters), ...(secrets.length > 0 && { secrets }) };
    },
  };
}
