/** What the page knows of a run: the API's first picture, moved on by events. Pure; each change gives a new model. */
import { ErrorEntry, type RunDetail, type RunEvent } from '../workflows/api-contract';
import { NodeView, RunView, type NodeError, type NodeState, type RunState } from '../workflows/contract';
import { read } from './api/errors';

/** The way of a run, and of a node. Every other state is an end or a detour that happens somewhere along it. */
export const RUN_PHASES = [
  'provisioning',
  'publishing',
  'launching',
  'running',
  'complete',
] as const satisfies readonly RunState[];
export type RunPhase = (typeof RUN_PHASES)[number];
export const NODE_PHASES = [
  'waiting',
  'fetching',
  'launching',
  'running',
  'complete',
] as const satisfies readonly NodeState[];
export type NodePhase = (typeof NODE_PHASES)[number];

export const isRunPhase = (state: RunState): state is RunPhase => RUN_PHASES.some((phase) => phase === state);
export const isNodePhase = (state: NodeState): state is NodePhase =>
  NODE_PHASES.some((phase) => phase === state);

/** A view and how far along its way it was seen to be: a state such as `failed` does not say where it happened. */
export interface KnownNode {
  view: NodeView;
  reached: NodePhase;
}

export interface RunModel {
  run: RunView;
  reached: RunPhase;
  /** The central node first, then the sites in the order of the consortium. */
  nodes: ReadonlyMap<string, KnownNode>;
  errors: ReadonlyMap<string, ErrorEntry>;
}

export function fromDetail({ run, nodes, errors }: RunDetail): RunModel {
  const known = new Map(nodes.map((view) => [view.node, { view, reached: reachedByNode(view, undefined) }]));
  return {
    run,
    reached: reachedByRun(run, undefined, known),
    nodes: known,
    errors: new Map(errors.map((entry) => [errorKey(entry), entry])),
  };
}

/** The model after `event`. */
export function withEvent(model: RunModel, { type, data }: RunEvent): RunModel {
  switch (type) {
    case 'run': {
      const run = read(RunView, 'a run', data);
      return { ...model, run, reached: reachedByRun(run, model.reached, model.nodes) };
    }
    case 'node':
      return { ...model, nodes: withNode(model.nodes, read(NodeView, 'a node', data)) };
    case 'error': {
      const entry = read(ErrorEntry, 'an error', data);
      return { ...model, errors: new Map(model.errors).set(errorKey(entry), entry) };
    }
    case 'CentralClientStartRun':
    case 'EdgeClientStartRun':
      return model;
  }
}

function withNode(nodes: RunModel['nodes'], view: NodeView): RunModel['nodes'] {
  return new Map(nodes).set(view.node, { view, reached: reachedByNode(view, nodes.get(view.node)?.reached) });
}

/** An entry that counts up keeps the time of its first occurrence. */
export const errorKey = ({ launchId, node, phase, type, firstAt }: ErrorEntry) =>
  [launchId, node, phase, type, firstAt].join(' ');

/** Where along the way an activity belongs. */
const NODE_PHASE_OF: Readonly<Record<string, NodePhase>> = {
  fetchRunKit: 'fetching',
  launchEdgeNode: 'launching',
  launchCentralNode: 'launching',
  superviseNode: 'running',
};
const RUN_PHASE_OF: Readonly<Record<string, RunPhase>> = {
  provisionProject: 'provisioning',
  publishRunKits: 'publishing',
  launchCentralNode: 'launching',
};

const furthest = <Phase extends string>(
  way: readonly Phase[],
  phases: readonly (Phase | undefined)[],
): Phase | undefined => way.findLast((phase) => phases.includes(phase));

function reachedByNode(view: NodeView, before: NodePhase | undefined): NodePhase {
  if (isNodePhase(view.state)) return view.state;
  return (
    furthest(NODE_PHASES, [before, phaseOfError(view.error), wasUp(view) ? 'running' : undefined]) ??
    'waiting'
  );
}

const phaseOfError = (error: NodeError | undefined) =>
  error === undefined ? undefined : NODE_PHASE_OF[error.phase];
const wasUp = ({ containerId, report, exitCode }: NodeView) =>
  containerId !== undefined || report !== undefined || exitCode !== undefined;

function reachedByRun(run: RunView, before: RunPhase | undefined, nodes: RunModel['nodes']): RunPhase {
  if (isRunPhase(run.state)) return run.state;
  const ofError = run.error === undefined ? undefined : RUN_PHASE_OF[run.error.phase];
  const someoneUp = [...nodes.values()].some(({ view }) => wasUp(view));
  return furthest(RUN_PHASES, [before, ofError, someoneUp ? 'running' : undefined]) ?? 'provisioning';
}
