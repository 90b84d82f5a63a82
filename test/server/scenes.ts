/** Consortia, runs and reports, as tests of the central API make them, and what has become of them. */
import type { AddComputationData, PutConsortiumData } from '../../client/generated/types.gen';
import { computationDigest } from '../../sealing/launch-manifest';
import { createJournal } from '../../server/journal';
import { digestBytes } from '../../storage/digest';
import {
  RunDetail,
  StartedRun,
  type RunKitsBody,
  type RunEvent,
  type StatusReportBody,
} from '../../workflows/api-contract';
import { CENTRAL_NODE, Computation, kitKey, type LaunchRef } from '../../workflows/contract';
import { nodeComputation } from '../../workflows/launch-context';
import { opened } from '../support/sealed';
import { central, type TestServer } from './server';
import { LAUNCH } from './views';

export type ConsortiumDraft = PutConsortiumData['body'];

/** What a consortium is registered with; `more` replaces top-level parts. */
export function consortiumDraft(more: Partial<ConsortiumDraft> = {}): ConsortiumDraft {
  return {
    name: 'Penguins of the Palmer archipelago',
    computation: { name: COMPUTATION.name, version: COMPUTATION.version },
    sites: ['alpha', 'beta'].map((id) => ({ id, name: `Site ${id}`, dataset: 'birds' })),
    ...more,
  };
}

export type ComputationDraft = AddComputationData['body'];

/** The computation of {@link consortiumDraft}. */
export const COMPUTATION: ComputationDraft = { name: 'example', version: '1.0.0' };

/** Registers a consortium and, before it, its computation. */
export async function register(
  server: TestServer,
  id: string,
  {
    computation = COMPUTATION,
    ...more
  }: Partial<Omit<ConsortiumDraft, 'computation'>> & { computation?: ComputationDraft } = {},
): Promise<void> {
  const added = await server.call('POST /api/computations?replace=true', { body: computation });
  expect([200, 201]).toContain(added.statusCode);
  const { name, version } = computation;
  const body = consortiumDraft({ ...more, computation: { name, version } });
  const answer = await server.call(`PUT /api/consortia/${id}`, { body });
  expect(answer.statusCode).toBe(200);
}

/** What a central worker tells of kits of sites that it has published. */
export function kitsOf(sites: readonly string[], launchId = LAUNCH): RunKitsBody {
  const computation = computationDigest(nodeComputation({ computation: Computation.parse(COMPUTATION) }));
  const kits = sites.map((node) => ({
    ...{ node, dataset: 'birds', ...digestBytes(kitContent(node, launchId)) },
    key: Buffer.alloc(32, node).toString('base64url'),
  }));
  return { computation, kits };
}

const kitContent = (node: string, launchId: string) => Buffer.from(`kit of ${node} in ${launchId}`);

/** Publishes something that stands for the kits of these nodes, and tells the API of those of sites. */
export async function publishKits(
  server: TestServer,
  { runId, launchId }: LaunchRef,
  nodes: readonly string[],
): Promise<void> {
  for (const node of nodes)
    await server.objects.putOnce(kitKey(runId, launchId, node), kitContent(node, launchId));
  const sites = nodes.filter((node) => node !== CENTRAL_NODE);
  const body = kitsOf(sites, launchId);
  const told = await server.call(`PUT /api/runs/${runId}/launches/${launchId}/kits`, { as: central, body });
  expect([told.statusCode, told.body]).toEqual([204, '']);
}

/** Starts a run of the consortium, which is registered if need be. */
export async function start(server: TestServer, consortium = 'penguins'): Promise<string> {
  const known = await server.call(`GET /api/consortia/${consortium}`);
  if (known.statusCode === 404) await register(server, consortium);
  const answer = await server.call(`POST /api/consortia/${consortium}/runs`, { body: {} });
  expect(answer.statusCode).toBe(201);
  return StartedRun.parse(answer.json()).runId;
}

/** The run as the API shows it. */
export async function look(server: TestServer, runId: string): Promise<RunDetail> {
  const answer = await server.call(`GET /api/runs/${runId}`);
  expect(answer.statusCode).toBe(200);
  return RunDetail.parse(answer.json());
}

/** The states of a run and its nodes, in a form that is quick to read. */
export async function statesOf(server: TestServer, runId: string): Promise<Record<string, string>> {
  const { run, nodes } = await look(server, runId);
  return { run: run.state, ...Object.fromEntries(nodes.map(({ node, state }) => [node, state])) };
}

export async function report(server: TestServer, body: StatusReportBody): Promise<void> {
  const answer = await server.call(`POST /api/runs/${body.run.runId}/status`, { as: central, body });
  expect([answer.statusCode, answer.body]).toEqual([204, '']);
}

/** Everything that was told of a run. */
export function eventsOf(server: TestServer, runId: string): Promise<RunEvent[]> {
  return createJournal(server.db).read(runId, 0, 1000);
}

/** The signals that a run's workflow was sent, as `[name, payload]`. */
export async function signalsTo({ temporal }: TestServer, runId: string): Promise<[string, unknown][]> {
  const { events } = await temporal.client.workflow.getHandle(runId).fetchHistory();
  const signals = (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []);
  return Promise.all(
    signals.map(async ({ signalName, input }): Promise<[string, unknown]> => {
      const [payload] = await opened(input?.payloads);
      return [signalName ?? '', payload];
    }),
  );
}
