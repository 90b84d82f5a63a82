/**
 * The consortia. Their parameters are sealed in the database, and those that are secret are shown to nobody: who changes a
 * consortium leaves them out, and they stay.
 */
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { isDeepStrictEqual } from 'node:util';
import type { ConsortiumBody, ConsortiumView } from '../../workflows/api-contract';
import type {
  CreateConsortiumBody,
  Membership,
  PatchConsortiumBody,
} from '../../workflows/consortium-contract';
import type { Computation, ComputationRef, Parameters, Site, Windows } from '../../workflows/contract';
import type { Person } from '../access';
import type { Database } from '../db/client';
import { consortia, consortiumPeople, memberships } from '../db/schema';
import { rowOf, type ParameterSeal } from '../parameters/seal';
import { publicPart, secretPlaces, withSecretsOf } from '../parameters/secret-places';
import { HttpProblem, jsonPointer } from '../problem';
import type { Registry } from '../registry/computations';
import { checkParameters } from '../runs/parameters';
import { take, withMembership, type Step } from './membership';
import { idsFor } from './new-id';

/** A consortium with all of its parameters. */
export interface Consortium {
  id: string;
  name: string;
  description?: string | undefined;
  computation?: ComputationRef | undefined;
  parameters: Parameters;
  windows: Windows;
  /** Of every site that was ever invited, in the order in which they came. */
  memberships: readonly Membership[];
  archivedAt?: number | undefined;
  /** Counts every change. */
  revision: number;
}

export interface Changed {
  before: Consortium;
  after: Consortium;
}

export interface Consortia {
  /** @throws HttpProblem `unknown-consortium` */
  get(id: string): Promise<Consortium>;
  /** Creates or replaces it; its sites count as having accepted. @throws HttpProblem `unknown-computation` */
  put(id: string, body: ConsortiumBody, by: string): Promise<Partial<Changed> & Pick<Changed, 'after'>>;
  /** Creates one that its creator leads. @throws HttpProblem */
  create(body: CreateConsortiumBody, by: Person): Promise<Consortium>;
  /**
   * @param revision that is to be changed; `changed-meanwhile` if it is another by now. Absent: whatever it is
   * @throws HttpProblem
   */
  patch(id: string, body: PatchConsortiumBody, revision: number | undefined): Promise<Changed>;
  /** Takes a step with one site. @throws HttpProblem */
  takeStep(id: string, siteId: string, step: Step, by: string): Promise<Changed>;
  /** No run of it is started from now on. Its id is never given to another: sites may name it in their files. */
  archive(id: string): Promise<Changed>;
  /** Those of these ids, or all; archived ones only if asked for. */
  list(ids: readonly string[] | undefined, archived?: boolean): Promise<Consortium[]>;
  /** What of a consortium is shown. */
  view(consortium: Consortium): Promise<ConsortiumView>;
}

type Row = typeof consortia.$inferSelect;
type MembershipRow = typeof memberships.$inferSelect;
/** Of a computation that is not known here nothing is clearly public. */
const ALL_SECRET = { writeOnly: true };
const NOTHING_KEPT = { schema: {}, parameters: {} };
/** The most sites that a run can have. */
const MOST_SITES = 1_000;

/** Those that take part in runs. */
export function sitesOf({ memberships }: Pick<Consortium, 'memberships'>): Site[] {
  return memberships.flatMap(({ siteId: id, name, dataset, state }) =>
    state === 'accepted' && dataset !== undefined ? [{ id, name, dataset }] : [],
  );
}

/** What keeps any run of it from being started, as sentences. */
export function missingIn(consortium: Consortium): string[] {
  return [
    ...(consortium.archivedAt === undefined ? [] : ['The consortium is archived.']),
    ...(consortium.computation === undefined ? ['No computation is chosen.'] : []),
    ...(sitesOf(consortium).length === 0 ? ['No site has accepted an invitation.'] : []),
  ];
}

/** @param deps.clock milliseconds since the epoch */
export function createConsortia(deps: {
  db: Database;
  registry: Registry;
  parameters: ParameterSeal;
  clock?: () => number;
}): Consortia {
  const { db, registry, parameters: seal, clock = Date.now } = deps;

  const opened = ({ id, body, revision, archivedAt }: Row, members: readonly Membership[]): Consortium => ({
    ...{ id, name: body.name, description: body.description, computation: body.computation },
    parameters: seal.open(body.parameters, rowOf.consortium(id)),
    ...{ windows: body.windows, memberships: members, revision },
    ...(archivedAt !== null && { archivedAt }),
  });

  const bodyOf = ({ id, name, description, computation, parameters, windows }: Consortium): Row['body'] => ({
    ...{ name, windows },
    ...(description !== undefined && { description }),
    ...(computation !== undefined && { computation }),
    parameters: seal.seal(parameters, rowOf.consortium(id)),
  });

  async function find(id: string): Promise<Consortium | undefined> {
    const [row] = await db.select().from(consortia).where(eq(consortia.id, id));
    if (row === undefined) return undefined;
    return opened(row, (await membersOf([id])).get(id) ?? []);
  }

  async function membersOf(ids: readonly string[] | undefined): Promise<Map<string, Membership[]>> {
    const rows = await db
      .select()
      .from(memberships)
      .where(ids && inArray(memberships.consortiumId, [...ids]))
      .orderBy(asc(memberships.consortiumId), asc(memberships.position));
    const found = new Map<string, Membership[]>();
    for (const row of rows)
      found.set(row.consortiumId, [...(found.get(row.consortiumId) ?? []), asMembership(row)]);
    return found;
  }

  async function get(id: string): Promise<Consortium> {
    const consortium = await find(id);
    if (consortium) return consortium;
    throw new HttpProblem('unknown-consortium', `There is no consortium ${id}.`);
  }

  /** The secrets that the consortium had where `given` leaves them out; other computations get none of them. */
  async function completed(
    before: Consortium | undefined,
    computation: Computation,
    given: Parameters,
  ): Promise<Parameters> {
    const kept =
      before?.computation?.name === computation.name
        ? { schema: await schemaOf(before.computation), parameters: before.parameters }
        : NOTHING_KEPT;
    return withSecretsOf(kept, computation.parameters, given);
  }

  async function schemaOf(ref: ComputationRef): Promise<Computation['parameters']> {
    const known = await registry.get(ref).catch((error: unknown) => {
      if (error instanceof HttpProblem) return undefined;
      throw error;
    });
    return known?.computation.parameters ?? ALL_SECRET;
  }

  /** What of computation and parameters is then; parameters that are given, or were there, have to fit. */
  async function chosen(
    before: Consortium | undefined,
    given: { computation?: ComputationRef | null | undefined; parameters?: Parameters | undefined },
  ): Promise<Pick<Consortium, 'computation' | 'parameters'>> {
    const ref = given.computation === undefined ? before?.computation : (given.computation ?? undefined);
    if (ref === undefined) {
      if (given.parameters === undefined) return { computation: ref, parameters: {} };
      throw new HttpProblem('invalid-parameters', 'Choose the computation that the parameters are for.', [
        { pointer: '/computation', detail: 'is missing' },
      ]);
    }
    const { computation } = await registry.get(ref);
    const stays = before?.computation?.name === ref.name ? before.parameters : {};
    if (given.parameters === undefined && Object.keys(stays).length === 0)
      return { computation: ref, parameters: {} };
    const parameters =
      given.parameters === undefined ? stays : await completed(before, computation, given.parameters);
    const whose = given.parameters === undefined ? 'The parameters that there are' : 'The parameters';
    checkParameters(computation, parameters, whose);
    return { computation: ref, parameters };
  }

  /**
   * @param lead who leads it from now on
   * @returns whether it was written: not if somebody else was faster
   */
  function write(before: Consortium | undefined, after: Consortium, lead?: Person): Promise<boolean> {
    const { id, archivedAt = null } = after;
    const row = { body: bodyOf(after), archivedAt };
    return db.transaction(async (tx) => {
      const written =
        before === undefined
          ? await tx
              .insert(consortia)
              .values({ id, ...row })
              .onConflictDoNothing()
              .returning()
          : await tx
              .update(consortia)
              .set({ ...row, revision: sql`${consortia.revision} + 1` })
              .where(and(eq(consortia.id, id), eq(consortia.revision, before.revision)))
              .returning();
      if (written.length === 0) return false;
      for (const [position, one] of after.memberships.entries()) {
        if (before?.memberships[position] === one) continue;
        const values = { consortiumId: id, position, ...asRow(one) };
        await tx
          .insert(memberships)
          .values(values)
          .onConflictDoUpdate({ target: [memberships.consortiumId, memberships.siteId], set: values });
      }
      if (lead !== undefined) {
        const grant = { role: 'lead' as const, addedBy: lead.sub, addedAt: clock() };
        await tx
          .insert(consortiumPeople)
          .values({ consortiumId: id, personId: lead.id, ...grant })
          .onConflictDoUpdate({
            target: [consortiumPeople.consortiumId, consortiumPeople.personId],
            set: grant,
          });
      }
      return true;
    });
  }

  /** Changes it; anew as long as others are faster, where nobody said what they had seen. */
  async function change(
    id: string,
    decide: (before: Consortium) => Promise<Consortium> | Consortium,
    revision?: number,
  ): Promise<Changed> {
    for (;;) {
      const before = await get(id);
      if (revision !== undefined && revision !== before.revision)
        throw new HttpProblem('changed-meanwhile', `${id} was changed meanwhile: look at it again.`);
      const after = await decide(before);
      if (isDeepStrictEqual(before, after)) return { before, after: before };
      if (await write(before, after)) return { before, after: { ...after, revision: before.revision + 1 } };
    }
  }

  return {
    get,

    async put(id, body, by) {
      const { computation } = await registry.get(body.computation);
      const at = clock();
      for (;;) {
        const before = await find(id);
        const { sites, ...rest } = body;
        const after: Consortium = {
          ...{ id, revision: before?.revision ?? 0, ...rest },
          parameters: await completed(before, computation, body.parameters),
          memberships: declared(before?.memberships ?? [], sites, { by, at }),
        };
        if (!(await write(before, after))) continue;
        return { ...(before && { before }), after: { ...after, revision: after.revision + 1 } };
      }
    },

    async create({ id, name, description, windows, ...given }, by) {
      const choice = await chosen(undefined, given);
      for (const candidate of id === undefined ? idsFor(name) : [id]) {
        const consortium: Consortium = {
          ...{ id: candidate, name, description, windows, ...choice },
          ...{ memberships: [], revision: 1 },
        };
        // An operator has no account, and may do everything anyway.
        const lead = by.via === 'operator' ? undefined : by;
        if (await write(undefined, consortium, lead)) return consortium;
      }
      throw new HttpProblem('consortium-exists', `The id ${id ?? name} is taken: choose another.`);
    },

    patch: (id, { name, description, archived, windows, ...given }, revision) =>
      change(
        id,
        async (before) => {
          const isChoice = given.computation !== undefined || given.parameters !== undefined;
          const { archivedAt, ...rest } = before;
          const since = archived === undefined ? archivedAt : archived ? (archivedAt ?? clock()) : undefined;
          return {
            ...rest,
            ...(name !== undefined && { name }),
            description: description === undefined ? before.description : (description ?? undefined),
            ...(windows !== undefined && { windows }),
            ...(isChoice && (await chosen(before, given))),
            ...(since !== undefined && { archivedAt: since }),
          };
        },
        revision,
      ),

    takeStep: (id, siteId, step, by) =>
      change(id, (before) => {
        if (before.archivedAt !== undefined && step.type !== 'leave' && step.type !== 'remove')
          throw new HttpProblem(
            'consortium-archived',
            `${id} is archived: take it out of the archive first.`,
          );
        const member = before.memberships.find((one) => one.siteId === siteId);
        const after = withMembership(before.memberships, take(member, siteId, step, { by, at: clock() }));
        if (after.length > MOST_SITES)
          throw new HttpProblem('membership-impossible', `A consortium has at most ${MOST_SITES} sites.`);
        return { ...before, memberships: after };
      }),

    archive: (id) => change(id, (before) => ({ ...before, archivedAt: before.archivedAt ?? clock() })),

    async list(ids, archived = false) {
      const [rows, members] = await Promise.all([
        db
          .select()
          .from(consortia)
          .where(
            and(ids && inArray(consortia.id, [...ids]), archived ? undefined : isNull(consortia.archivedAt)),
          )
          .orderBy(asc(consortia.id)),
        membersOf(ids),
      ]);
      return rows.map((row) => opened(row, members.get(row.id) ?? []));
    },

    async view(consortium) {
      const { parameters, computation, memberships: members, revision: _internal, ...rest } = consortium;
      const schema = computation === undefined ? ALL_SECRET : await schemaOf(computation);
      const secrets = secretPlaces(schema, parameters).map(jsonPointer);
      return {
        ...{ ...rest, computation, sites: sitesOf(consortium), memberships: [...members] },
        parameters: publicPart(schema, parameters),
        ...(secrets.length > 0 && { secrets }),
      };
    },
  };
}

/** The memberships where these sites take part and no others; who is invited stays so. */
function declared(
  before: readonly Membership[],
  sites: readonly Site[],
  { by, at }: { by: string; at: number },
): Membership[] {
  const known = new Map(before.map((one) => [one.siteId, one]));
  const named = sites.map(({ id, name, dataset }) => {
    const one = known.get(id);
    if (one?.state === 'accepted' && one.name === name && one.dataset === dataset) return one;
    const invited = { invitedBy: one?.invitedBy ?? by, invitedAt: one?.invitedAt ?? at };
    return {
      siteId: id,
      name,
      dataset,
      state: 'accepted' as const,
      ...invited,
      answeredBy: by,
      answeredAt: at,
    };
  });
  const others = before
    .filter(({ siteId }) => !sites.some(({ id }) => id === siteId))
    .map((one) => (one.state === 'accepted' ? take(one, one.siteId, { type: 'remove' }, { by, at }) : one));
  return [...named, ...others];
}

function asMembership(row: MembershipRow): Membership {
  const { consortiumId: _in, position: _place, dataset, answeredBy, answeredAt, reason, ...rest } = row;
  return {
    ...rest,
    ...(dataset !== null && { dataset }),
    ...(answeredBy !== null && { answeredBy }),
    ...(answeredAt !== null && { answeredAt }),
    ...(reason !== null && { reason }),
  };
}

/** Every column, so that what is gone is taken away. */
function asRow({ dataset, answeredBy, answeredAt, reason, ...rest }: Membership) {
  return {
    ...rest,
    dataset: dataset ?? null,
    answeredBy: answeredBy ?? null,
    answeredAt: answeredAt ?? null,
    reason: reason ?? null,
  };
}
