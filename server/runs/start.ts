/**
 * startRun: a run is written down first and handed to Temporal then. So nothing that a caller was told of is lost, and
 * the same request sent again finishes what the first one could not.
 */
import { and, eq, inArray } from 'drizzle-orm';
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { TERMINAL_RUN_STATES, type NodeView, type Parameters, type RunInput } from '../../workflows/contract';
import { initialModel, isTerminalRun } from '../../workflows/run-state';
import { rowOf, type ParameterSeal } from '../parameters/seal';
import { withSecretsOf } from '../parameters/secret-places';
import type { Registry } from '../registry/computations';
import { missingIn, sitesOf, type Consortium } from '../consortia/consortia';
import type { Database } from '../db/client';
import { nodes, runs } from '../db/schema';
import type { Journal } from '../journal';
import { HttpProblem } from '../problem';
import type { Links } from './links';
import { checkParameters } from './parameters';
import type { Runs } from './temporal';
import { describeStart } from './words';

export interface StartRequest {
  consortium: Consortium;
  /** The parameters that the request brings; without them the consortium's are used, and of those the secret ones anyway. */
  requested: Parameters | undefined;
  idempotencyKey: string | undefined;
  startedBy: string;
}
export interface Start {
  runId: string;
  /** Whether an earlier request had started it. */
  seen: boolean;
}
export type StartRun = (request: StartRequest) => Promise<Start>;

type RunRow = typeof runs.$inferSelect;

/** Makes {@link StartRun}. It may be called with the same key many times, also at once: that is one run. */
export function createStartRun(deps: {
  db: Database;
  journal: Journal;
  registry: Registry;
  parameters: ParameterSeal;
  temporal: Runs;
  links: Links;
}): StartRun {
  const { db, journal, registry, parameters, temporal, links } = deps;

  async function handOver({ runId, input: stored }: RunRow): Promise<void> {
    if (stored === null) return;
    const input = { ...stored, parameters: parameters.open(stored.parameters, rowOf.run(runId)) };
    await temporal.start(runId, input, describeStart(input, links(runId).page));
    const [row] = await db
      .update(runs)
      .set({ handedOver: true, updatedAt: Date.now() })
      .where(eq(runs.runId, runId))
      .returning({ state: runs.state });
    if (row && isTerminalRun(row.state)) await beginAnew(journal, runId, input);
  }

  /**
   * The run that was started with the key of this request.
   * @throws HttpProblem `idempotency-key-reused` when it was started by a different one
   */
  async function findByKey(request: StartRequest): Promise<RunRow | undefined> {
    const { consortium, idempotencyKey, requested = null } = request;
    if (idempotencyKey === undefined) return undefined;
    const [row] = await db
      .select()
      .from(runs)
      .where(and(eq(runs.consortiumId, consortium.id), eq(runs.idempotencyKey, idempotencyKey)));
    if (row === undefined) return undefined;
    const before = row.requested && parameters.open(row.requested, rowOf.request(row.runId));
    if (isDeepStrictEqual(before, requested)) return row;
    throw new HttpProblem(
      'idempotency-key-reused',
      `The Idempotency-Key started run ${row.runId} with other parameters: use a new key for a new run.`,
    );
  }

  /** Writes a new run down, all its nodes waiting; `undefined` when another request with the key was faster. */
  function writeDown(
    { consortium, requested, idempotencyKey }: StartRequest,
    input: RunInput,
  ): Promise<RunRow | undefined> {
    const now = Date.now();
    const runId = newRunId(consortium.id, now);
    const { run, nodes: views } = initialModel(runId, input, now);
    return journal.change(runId, async (tx, tell) => {
      const [row] = await tx
        .insert(runs)
        .values({
          ...{ runId, consortiumId: consortium.id, startedAt: now, updatedAt: now },
          ...{ state: run.state, view: run, idempotencyKey, handedOver: false },
          input: { ...input, parameters: parameters.seal(input.parameters, rowOf.run(runId)) },
          requested: requested && parameters.seal(requested, rowOf.request(runId)),
        })
        .onConflictDoNothing()
        .returning();
      if (row === undefined) return undefined;
      await tx.insert(nodes).values(rowsOf(runId, views));
      const data = {
        consortium: consortium.id,
        startedBy: input.startedBy,
        sites: input.sites.map(({ id }) => id),
      };
      tell({ type: 'CentralClientStartRun', at: now, data });
      return row;
    });
  }

  return async (request) => {
    const earlier = await findByKey(request);
    const written =
      earlier === undefined ? await writeDown(request, await inputOf(registry, request)) : undefined;
    const row = earlier ?? written ?? (await findByKey(request));
    if (row === undefined) throw new Error('a new run got the id of another');
    if (!row.handedOver) await handOver(row);
    return { runId: row.runId, seen: written === undefined };
  };
}

/** @throws HttpProblem `consortium-incomplete`, `unknown-computation`, `invalid-parameters` */
async function inputOf(
  registry: Registry,
  { consortium, requested, startedBy }: StartRequest,
): Promise<RunInput> {
  const { id, name, windows } = consortium;
  const missing = missingIn(consortium);
  if (consortium.computation === undefined || missing.length > 0)
    throw new HttpProblem('consortium-incomplete', `No run of ${id} can be started. ${missing.join(' ')}`);
  const sites = sitesOf(consortium);
  const { computation } = await registry.get(consortium.computation);
  const { parameters: schema } = computation;
  const own = { schema, parameters: consortium.parameters };
  const parameters = requested ? withSecretsOf(own, schema, requested) : consortium.parameters;
  const whose = requested === undefined ? `The parameters of ${id}` : 'The parameters';
  checkParameters(computation, parameters, whose);
  return { consortium: { id, name }, computation, parameters, sites, startedBy, windows };
}

/** For a run that was given up as never started, and now is. Where Temporal's word came first, that stands. */
function beginAnew(journal: Journal, runId: string, input: RunInput): Promise<void> {
  const at = Date.now();
  const { run, nodes: views } = initialModel(runId, input, at);
  return journal.change(runId, async (tx, tell) => {
    const givenUp = and(
      eq(runs.runId, runId),
      eq(runs.execution, ''),
      inArray(runs.state, [...TERMINAL_RUN_STATES]),
    );
    const [row] = await tx
      .update(runs)
      .set({ state: run.state, view: run })
      .where(givenUp)
      .returning({ runId: runs.runId });
    if (row === undefined) return;
    await tx.delete(nodes).where(eq(nodes.runId, runId));
    await tx.insert(nodes).values(rowsOf(runId, views));
    tell({ type: 'run', at, data: run });
    for (const view of views.values()) tell({ type: 'node', at, data: view });
  });
}

const rowsOf = (runId: string, views: ReadonlyMap<string, NodeView>) =>
  [...views.values()].map((view) => ({ runId, node: view.node, state: view.state, view }));

const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Names the consortium and the minute, so that a person recognises the run, and cannot be met twice. */
function newRunId(consortiumId: string, at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split(/[T.]/);
  const minute = `${date.slice(2).replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`;
  const unique = Array.from({ length: 6 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  return `${consortiumId}-${minute}-${unique}`;
}
