/**
 * What must hold of a run whatever was done to the parts around it. Every check answers with what does not hold, in words.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { z } from 'zod';
import type { FollowedEvent } from '../../client';
import { connectEngine, engineAnswers } from '../../nodes';
import { ask } from '../../nodes/engine';
import type { RunDetail } from '../../workflows/api-contract';
import {
  CENTRAL_NODE,
  LABEL_RUN,
  type NodeState,
  RunState,
  StatusReport,
  TERMINAL_RUN_STATES,
  edgeRunWorkflowId,
} from '../../workflows/contract';
import { NODE_TRANSITIONS, RUN_TRANSITIONS } from '../../workflows/run-state';
import { opened } from '../support/sealed';
import { held } from '../support/held';
import { everyEventOf } from '../support/run-events';
import { startsIn } from './computation';
import type { FaultStack } from './stack';
import { patiently, until } from './waiting';

/** The reconciler has looked, looked again, stopped and released within this time. */
const RECONCILED_MS = 90_000;

export const isOver = ({ run }: RunDetail) => TERMINAL_RUN_STATES.includes(run.state);

/** The folders in which a node of a run left results: one for each launch. */
export async function outputsOf({ paths }: FaultStack, runId: string, node: string): Promise<string[]> {
  const results = node === CENTRAL_NODE ? paths.centralResults : paths.siteResults(node);
  const entries = await readdir(join(results, runId), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(results, runId, name));
}

/** Everything that does not hold of a run that has ended, with what somebody has seen who followed it all along. */
export async function checkRun(
  stack: FaultStack,
  detail: RunDetail,
  followed?: readonly FollowedEvent[],
): Promise<string[]> {
  const { runId } = detail.run;
  const history = await everyEventOf(stack.api, runId, detail.lastEventId);
  const truth = await truthOf(stack, runId);
  const wrong = [
    ...(await checkStarts(stack, detail)),
    ...checkOrder(history),
    ...checkNothingLost(history, truth),
    ...(followed === undefined ? [] : checkFollowed(followed, history)),
    ...(await checkTemporal(stack, detail)),
    ...(await checkResults(stack, detail)),
    ...(await checkNothingHeld(stack, runId)),
  ];
  if (wrong.length > 0) await keepEvidence(stack, detail, history);
  return wrong.map((what) => `${runId}: ${what}`);
}

/** What is known of a run of which something does not hold: its stack is gone when somebody looks into it. */
async function keepEvidence(
  { temporal }: FaultStack,
  detail: RunDetail,
  events: readonly FollowedEvent[],
): Promise<void> {
  const folder = join(tmpdir(), 'muster-faults-evidence');
  await mkdir(folder, { recursive: true });
  const history = await temporal.workflow.getHandle(detail.run.runId).fetchHistory();
  const content = { detail, events, history: JSON.parse(historyToJSON(history)) as unknown };
  await writeFile(join(folder, `${detail.run.runId}.json`), JSON.stringify(content, undefined, 1));
}

/** No node was started twice, and each of a complete run was started. */
async function checkStarts(stack: FaultStack, { run, nodes }: RunDetail): Promise<string[]> {
  const wrong: string[] = [];
  for (const { node } of nodes) {
    const folders = await outputsOf(stack, run.runId, node);
    const starts = (await Promise.all(folders.map(startsIn))).flat();
    if (starts.length > 1) wrong.push(`${node} was started ${starts.length} times: ${starts.join(', ')}`);
    if (starts.length === 0 && run.state === 'complete') wrong.push(`${node} was never started`);
  }
  return wrong;
}

/** The states of the run and of each node, one after the other. */
function statesIn(history: readonly FollowedEvent[]): Map<string, string[]> {
  const states = new Map<string, string[]>();
  for (const event of history) {
    if (event.type !== 'run' && event.type !== 'node') continue;
    const who = event.type === 'run' ? 'run' : event.data.node;
    states.set(who, withNext(states.get(who) ?? [], event.data.state));
  }
  return states;
}

function checkOrder(history: readonly FollowedEvent[]): string[] {
  const wrong: string[] = [];
  for (const [who, states] of statesIn(history)) {
    const table: Readonly<Record<string, readonly string[]>> =
      who === 'run' ? RUN_TRANSITIONS : NODE_TRANSITIONS;
    const [first] = states;
    if (first !== (who === 'run' ? 'provisioning' : 'waiting'))
      wrong.push(`${who} begins as ${first ?? 'nothing'}`);
    states.forEach((state, index) => {
      const before = states[index - 1];
      if (before !== undefined && !table[before]?.includes(state))
        wrong.push(`${who} went from ${before} to ${state}, in ${states.join(', ')}`);
    });
  }
  const last = statesIn(history).get('run')?.at(-1) ?? 'nothing';
  if (!TERMINAL_RUN_STATES.some((state) => state === last)) wrong.push(`the events end with ${last}`);
  return wrong;
}

/** What the run itself went through, by its workflow's history. */
interface Truth {
  run: RunState[];
  /** What it told of its nodes. */
  nodes: Map<string, NodeState[]>;
}

const Payload = z
  .object({ data: z.instanceof(Uint8Array) })
  .transform(({ data }): unknown => JSON.parse(Buffer.from(data).toString('utf8')));

async function truthOf(stack: FaultStack, runId: string): Promise<Truth> {
  const truth: Truth = { run: [], nodes: new Map() };
  for (const event of await workflowHistoryOf(stack, runId)) {
    const status =
      event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields?.MusterStatus;
    if (status) truth.run = withNext(truth.run, RunState.parse(Payload.parse(status)));
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityType?.name !== 'reportStatusCentral') continue;
    const [told] = await opened(scheduled.input?.payloads, stack.temporal.options.dataConverter);
    const report = StatusReport.parse(told);
    for (const { node, state } of report.nodes)
      truth.nodes.set(node, withNext(truth.nodes.get(node) ?? [], state));
  }
  return truth;
}

const withNext = <T>(states: readonly T[], next: T): T[] =>
  states.at(-1) === next ? [...states] : [...states, next];

/** The history of a run's workflow, also where it was continued as new. */
async function workflowHistoryOf({ temporal }: FaultStack, runId: string) {
  let all: NonNullable<History['events']> = [];
  for (let execution: string | undefined | null; ;) {
    const { events } = await temporal.workflow.getHandle(runId, execution ?? undefined).fetchHistory();
    all = [...(events ?? []), ...all];
    execution = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    if (!execution) return all;
  }
}

function checkNothingLost(history: readonly FollowedEvent[], truth: Truth): string[] {
  const told = statesIn(history);
  const expected: [string, readonly string[]][] = [['run', truth.run], ...truth.nodes];
  return expected.flatMap(([who, states]) => {
    const heard = told.get(who) ?? [];
    const same = heard.join() === states.join();
    return same
      ? []
      : [`of ${who} the events tell ${heard.join(', ')}; it went through ${states.join(', ')}`];
  });
}

/** Who followed the run through the fault has seen what is there now: all of it, in order, nothing twice. */
function checkFollowed(followed: readonly FollowedEvent[], history: readonly FollowedEvent[]): string[] {
  const ids = (events: readonly FollowedEvent[]) => events.map(({ id }) => id).join();
  return ids(followed) === ids(history)
    ? []
    : [`who followed it saw the events ${ids(followed)}; there are ${ids(history)}`];
}

const ENDS: Readonly<Record<string, string>> = {
  complete: 'COMPLETED',
  stopped: 'COMPLETED',
  failed: 'FAILED',
};

async function checkTemporal({ temporal, sites }: FaultStack, { run }: RunDetail): Promise<string[]> {
  /** How a workflow ended. A run tells its end first, and a site's part may have to hear of it. */
  const endOf = (workflowId: string, otherwise?: string) =>
    until(`the end of ${workflowId}`, RECONCILED_MS, async () => {
      const described = await temporal.workflow
        .getHandle(workflowId)
        .describe()
        .catch(() => undefined);
      const state = described?.status.name ?? otherwise;
      return state === 'RUNNING' ? undefined : state;
    }).catch(() => 'RUNNING');
  const ended = await endOf(run.runId);
  const wrong = ended === ENDS[run.state] ? [] : [`is ${run.state}, and its workflow ${ended}`];
  if (ended === 'COMPLETED') {
    const result = z
      .looseObject({ status: z.string() })
      .parse(await temporal.workflow.getHandle(run.runId).result());
    if (result.status !== run.state) wrong.push(`is ${run.state}, and its workflow says ${result.status}`);
  }
  for (const site of sites) {
    // A site that the run never reached has no part.
    const part = await endOf(edgeRunWorkflowId(run.runId, site), 'COMPLETED');
    if (part !== 'COMPLETED') wrong.push(`its part at ${site} is ${part}`);
  }
  return wrong;
}

/** Every result of a complete run is in the object store, and is what the central node wrote. */
async function checkResults(stack: FaultStack, { run }: RunDetail): Promise<string[]> {
  if (run.state !== 'complete') return [];
  const { results } = await patiently(() => stack.api.listResults({ path: { runId: run.runId } }));
  const missing = ['result.json', 'payload.bin'].filter(
    (name) => !results.some((result) => result.name === name),
  );
  const wrong = missing.map((name) => `is complete without its result ${name}`);
  const [folder = ''] = await outputsOf(stack, run.runId, CENTRAL_NODE);
  for (const { name, sha256, url } of results) {
    const [here, there] = await Promise.all([
      readFile(join(folder, name)),
      stack
        .fetchStored(url, { method: 'GET', headers: {} })
        .then(({ body }) => new Response(body).arrayBuffer()),
    ]);
    if (sha256Of(here) !== sha256 || sha256Of(Buffer.from(there)) !== sha256)
      wrong.push(`its result ${name} is not what the central node wrote`);
  }
  return wrong;
}

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function checkNothingHeld(stack: FaultStack, runId: string): Promise<string[]> {
  let left: string[] = [];
  const look = async () => (left = await everythingHeld(stack, runId)).length === 0 || undefined;
  return until('nothing is held', RECONCILED_MS, look).then(
    () => [],
    () => [`is over, and this is left: ${left.join(', ')}`],
  );
}

/** Processes, containers, folders and ports. */
async function everythingHeld({ paths, sites }: FaultStack, runId: string): Promise<string[]> {
  const [here, processes, containers] = await Promise.all([
    held(paths.root, sites, runId),
    processesOf(runId),
    containersOf(runId),
  ]);
  return [...here, ...processes, ...containers];
}

/** Processes of this machine that know themselves to be nodes of the run. */
async function processesOf(runId: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(`MUSTER_RUN_ID=${runId}`) ? [`process ${pid}`] : [];
    }),
  );
  return found.flat();
}

async function containersOf(runId: string): Promise<string[]> {
  const engine = connectEngine();
  if (!(await engineAnswers(engine))) return [];
  const label = [`${LABEL_RUN}=${runId}`];
  const containers = await ask(engine.listContainers({ all: true, filters: { label } }));
  return containers.map(({ Names }) => `container ${Names.join()}`);
}
