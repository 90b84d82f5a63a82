/**
 * How reports become rows: pure decisions, without a database.
 *
 * Reports may come late, twice, or out of order: an activity is tried again while its first attempt is still on the way,
 * and a reset run speaks while the last words of the execution before it arrive. So each row keeps where its view comes
 * from, and takes in only what is newer.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ErrorEntry, StatusReportBody } from '../workflows/api-contract';
import {
  CENTRAL_NODE,
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type NodeError,
  type NodeView,
  type RunState,
  type RunView,
} from '../workflows/contract';
import { FAILURES, isFailureType, turnOf } from '../workflows/errors';
import { isTerminalNode } from '../workflows/run-state';

/** Where a row's view comes from. */
export interface Provenance {
  launchId: string | null;
  execution: string;
  reportedAt: number;
  reportedSeq: number;
}

/** A row, as far as decisions about it go. */
export interface Known<View extends { state: string }> extends Provenance {
  view: View;
}

const TERMINAL: readonly string[] = [...TERMINAL_RUN_STATES, ...TERMINAL_NODE_STATES];

/** Whether a report says something newer than the row. */
export function isNews<View extends { state: string }>(
  known: Known<View> | undefined,
  from: Provenance,
  state: string,
): boolean {
  if (known === undefined) return true;
  const { launchId, execution, reportedAt, reportedSeq } = known;
  const newer =
    from.reportedAt > reportedAt || (from.reportedAt === reportedAt && from.reportedSeq > reportedSeq);
  if (!newer) return false;
  // What has ended stays ended, unless the run was reset (another execution) or launched again.
  const ended =
    TERMINAL.includes(known.view.state) && launchId === from.launchId && execution === from.execution;
  return !ended || state === known.view.state;
}

export interface Changes {
  from: Provenance;
  /** Present when the run's row takes the report in. */
  run: RunView | undefined;
  /** The nodes whose rows take the report in. */
  nodes: NodeView[];
  /** Those of `run` and `nodes` that read differently than before. */
  told: { run: boolean; nodes: NodeView[] };
  /** The failures that are news, with the launch in which each happened. */
  errors: { launchId: string | null; error: NodeError }[];
  /** The nodes at which whatever was being tried again has come to an end, one way or the other. */
  gotOver: string[];
}

/** What a status report changes, given the rows that it is about: of its nodes, and of that which the run failed of. */
export function project(
  report: StatusReportBody,
  knownRun: Known<RunView> | undefined,
  knownNodes: ReadonlyMap<string, Known<NodeView>>,
): Changes {
  const from: Provenance = {
    launchId: report.run.launchId ?? null,
    execution: report.execution,
    reportedAt: report.at,
    reportedSeq: report.seq,
  };
  const run = isNews(knownRun, from, report.run.state) ? report.run : undefined;
  const news = report.nodes
    .filter((node) => isNews(knownNodes.get(node.node), ofNode(from, node), node.state))
    .map((node) => withReport(node, ofNode(from, node), knownNodes.get(node.node)));
  const nodes = lastOfEach(news);
  const launchOf = (name: string) => {
    const view = nodes.find(({ node }) => node === name) ?? knownNodes.get(name)?.view;
    return view ? ofNode(from, view).launchId : from.launchId;
  };
  return {
    from,
    run,
    nodes,
    told: {
      run: run !== undefined && !isDeepStrictEqual(run, knownRun?.view),
      nodes: changesOf(news, knownNodes),
    },
    errors: [
      ...(run?.error ? [{ launchId: launchOf(run.error.node), error: run.error }] : []),
      ...nodes.flatMap(({ node, error }) => (error ? [{ launchId: launchOf(node), error }] : [])),
    ],
    gotOver: nodes.filter((node) => gotOver(knownNodes.get(node.node)?.view, node)).map(({ node }) => node),
  };
}

/** Where a node's view comes from: the launch is its own where its site was retried alone. */
export const ofNode = (from: Provenance, { retry }: NodeView): Provenance =>
  retry ? { ...from, launchId: retry.launchId } : from;

/** What a node says of itself does not come from the run: the words of this launch stay with it. */
function withReport(node: NodeView, { launchId }: Provenance, known: Known<NodeView> | undefined): NodeView {
  const said = known?.launchId === launchId ? known.view.report : undefined;
  return node.report === undefined && said !== undefined ? { ...node, report: said } : node;
}

function gotOver(before: NodeView | undefined, { state, attention }: NodeView): boolean {
  const changed = state !== before?.state || before.attention !== undefined;
  return changed && attention === undefined && (state === 'running' || isTerminalNode(state));
}

/** The views that say something else than the one before of the same node. */
function changesOf(views: readonly NodeView[], known: ReadonlyMap<string, Known<NodeView>>): NodeView[] {
  const before = new Map([...known].map(([name, { view }]) => [name, view]));
  return views.filter((view) => {
    const same = isDeepStrictEqual(view, before.get(view.node));
    before.set(view.node, view);
    return !same;
  });
}

function lastOfEach(nodes: readonly NodeView[]): NodeView[] {
  return [...new Map(nodes.map((node) => [node.node, node])).values()];
}

/** How a run ended according to Temporal, where no report says so. */
export interface Ending {
  state: Extract<RunState, 'complete' | 'failed' | 'stopped'>;
  at: number;
  /** Why, for a run that failed. */
  reason?: string;
}

/** The run as it really is: ended, though its last report says otherwise. */
export function endedRun(view: RunView, { state, at, reason }: Ending): RunView {
  const error: NodeError | undefined =
    reason === undefined
      ? undefined
      : { node: CENTRAL_NODE, phase: view.state, type: 'RunFailed', message: reason };
  return { ...view, state, since: at, ...(error && { error }) };
}

/** The nodes that nobody watches any more. */
export function lostNodes(views: readonly NodeView[], at: number): NodeView[] {
  return views
    .filter(({ state }) => !isTerminalNode(state))
    .map(({ attention: _settled, ...view }) => ({ ...view, state: 'lost', since: at }));
}

/** What makes a failure the same as an earlier one: it is then counted and not listed again. */
export function errorIdentity(runId: string, launchId: string | null, error: NodeError): string {
  const { node, phase, type, message } = error;
  return createHash('sha256')
    .update(JSON.stringify([runId, launchId, node, phase, type, message]))
    .digest('hex');
}

/** A row of the error log. */
export interface LoggedError extends Pick<ErrorEntry, 'runId' | 'count' | 'firstAt' | 'lastAt' | 'retrying'> {
  launchId: string | null;
  error: NodeError;
}

/** The row as it is shown, with what to do about it. */
export function errorEntry({
  runId,
  launchId,
  error,
  count,
  firstAt,
  lastAt,
  retrying,
}: LoggedError): ErrorEntry {
  const type = isFailureType(error.type) ? error.type : 'Internal';
  return {
    ...error,
    runId,
    ...(launchId !== null && { launchId }),
    count,
    firstAt,
    lastAt,
    retrying,
    advice: FAILURES[type].advice,
    turn: turnOf(type),
  };
}
