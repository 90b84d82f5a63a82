/**
 * The run's state machine: pure functions over plain data. What has been learned (a fact) goes in, the next model comes
 * out; a fact that is late, of another launch, or contradicts a terminal state changes nothing.
 */
import {
  CENTRAL_NODE,
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type Computation,
  type ErrorSignal,
  type NodeError,
  type NodeState,
  type NodeView,
  type Retry,
  type RunInput,
  type RunState,
  type RunView,
  type StatusSignal,
  type StopSignal,
  type StoredResult,
} from './contract';

/** From each state of a run, the states it may go to. */
export const RUN_TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  provisioning: ['publishing', 'stopping', 'failed'],
  publishing: ['launching', 'stopping', 'failed'],
  // Every node may have ended before the last word about their start has come.
  launching: ['running', 'stopping', 'complete', 'failed'],
  running: ['stopping', 'complete', 'failed'],
  // Bringing the nodes down, because someone asked or because one of them failed.
  stopping: ['stopped', 'failed'],
  complete: [],
  failed: [],
  stopped: [],
};

/**
 * From each state of a node, the states it may go to. Messages may arrive late or be missed, so a node may skip ahead;
 * it never goes back.
 */
export const NODE_TRANSITIONS: Readonly<Record<NodeState, readonly NodeState[]>> = {
  waiting: [
    'fetching',
    'launching',
    'running',
    'complete',
    'failed',
    'refused',
    'stopping',
    'stopped',
    'lost',
  ],
  fetching: ['launching', 'running', 'complete', 'failed', 'refused', 'stopping', 'stopped', 'lost'],
  launching: ['running', 'complete', 'failed', 'refused', 'stopping', 'stopped', 'lost'],
  running: ['complete', 'failed', 'stopping', 'stopped', 'lost'],
  // A node can end by itself while it is being stopped; what it did is then the truth.
  stopping: ['complete', 'failed', 'refused', 'stopped', 'lost'],
  complete: [],
  failed: [],
  refused: [],
  stopped: [],
  lost: [],
};

export const isTerminalRun = (state: RunState) => TERMINAL_RUN_STATES.includes(state);
export const isTerminalNode = (state: NodeState) => TERMINAL_NODE_STATES.includes(state);

export interface RunModel {
  readonly run: RunView;
  /** By node name; the central node first, then the sites in the order of the input. */
  readonly nodes: ReadonlyMap<string, NodeView>;
}

/** What the run can learn. */
export type Fact =
  /** `retry`: someone asked for this launch while another one was under way. */
  | { type: 'launch'; launchId: string; retry?: Retry | undefined }
  /** A site's node begins anew, in a launch of its own. */
  | { type: 'retrySite'; node: string; retry: Retry }
  | { type: 'phase'; state: 'publishing' | 'launching' | 'running' }
  | { type: 'status'; status: StatusSignal }
  | { type: 'error'; failed: ErrorSignal }
  /** The run itself failed in a step of its own, not in a node. */
  | { type: 'runError'; error: NodeError }
  | { type: 'stop'; stop: StopSignal }
  /** The run starts bringing its nodes down. */
  | { type: 'bringDown' }
  | { type: 'end'; state: 'complete' | 'failed' | 'stopped'; results?: StoredResult[] };

/** A run that has just been started: nothing of it exists yet. */
export function initialModel(runId: string, input: RunInput, at: number): RunModel {
  const names: [string, string][] = [
    [CENTRAL_NODE, 'Central node'],
    ...input.sites.map(({ id, name }): [string, string] => [id, name]),
  ];
  return {
    run: {
      runId,
      consortium: input.consortium,
      computation: { name: input.computation.name, version: input.computation.version },
      state: 'provisioning',
      since: at,
      startedAt: at,
      startedBy: input.startedBy,
    },
    nodes: new Map(names.map(([node, name]) => [node, { node, name, state: 'waiting', since: at }])),
  };
}

/** The model after `fact`. Nodes that did not change are the same objects; a fact without effect gives the same model. */
export function reduce(model: RunModel, fact: Fact, at: number): RunModel {
  switch (fact.type) {
    case 'launch':
      return {
        ...model,
        run: { ...model.run, launchId: fact.launchId, ...(fact.retry && { retry: fact.retry }) },
      };
    case 'retrySite':
      return withRetriedSite(model, fact.node, fact.retry, at);
    case 'phase':
      return withRunState(model, fact.state, at);
    case 'status':
      return isOfLaunch(model, fact.status) ? withStatus(model, fact.status, at) : model;
    case 'error':
      return isOfLaunch(model, { node: fact.failed.error.node, launchId: fact.failed.launchId })
        ? withNodeError(model, fact.failed, at)
        : model;
    case 'runError':
      return isTerminalRun(model.run.state) || model.run.error
        ? model
        : { ...model, run: { ...model.run, error: fact.error } };
    case 'stop':
      return withStop(model, fact.stop, at);
    case 'bringDown':
      return withBringDown(model, at);
    case 'end':
      return withEnd(model, fact.state, fact.results, at);
  }
}

/** The launch that a node belongs to. */
export function launchOf({ run, nodes }: RunModel, node: string): string | undefined {
  return nodes.get(node)?.retry?.launchId ?? run.launchId;
}

const isOfLaunch = (model: RunModel, { node, launchId }: { node: string; launchId: string }) =>
  launchId === launchOf(model, node);

/** Whether a site's node can begin anew: the run is up and to stay so, and its central node is there to be joined. */
export function canRetry(model: RunModel, site: string): boolean {
  const { run, nodes } = model;
  const node = nodes.get(site);
  if (!node || site === CENTRAL_NODE || node.state === 'complete') return false;
  return run.state === 'running' && !run.stop && !run.error && !isTerminalNode(central(model).state);
}

function withRetriedSite(model: RunModel, site: string, retry: Retry, at: number): RunModel {
  const before = model.nodes.get(site);
  if (!before || !canRetry(model, site)) return model;
  const { node, name } = before;
  return withNode(model, { node, name, state: 'waiting', since: at, retry });
}

function withRunState(model: RunModel, state: RunState, at: number): RunModel {
  if (!RUN_TRANSITIONS[model.run.state].includes(state)) return model;
  return { ...model, run: { ...model.run, state, since: at } };
}

function withNode(model: RunModel, node: NodeView): RunModel {
  return { ...model, nodes: new Map(model.nodes).set(node.node, node) };
}

/** `node` in `state` where the table allows it, else `undefined`. */
function moved(node: NodeView, state: NodeState, at: number): NodeView | undefined {
  if (!NODE_TRANSITIONS[node.state].includes(state)) return undefined;
  return { ...withAttention(node, null), state, since: at };
}

function withStatus(model: RunModel, status: StatusSignal, at: number): RunModel {
  const node = model.nodes.get(status.node);
  if (!node || isTerminalNode(node.state)) return model;
  const { launchId: _fence, node: _name, state, attention, ...said } = status;
  const after = state === undefined || state === node.state ? node : moved(node, state, at);
  // A late word about an earlier state still says which container it was.
  if (!after) return said.containerId === undefined ? model : withNode(model, { ...node, ...identity(said) });
  const attended = withAttention(after, attention);
  const isNothing = attended === node && Object.keys(said).length === 0;
  return isNothing ? model : withNode(model, { ...attended, ...said });
}

function withAttention(node: NodeView, attention: StatusSignal['attention']): NodeView {
  if (attention) return { ...node, attention };
  if (attention === undefined || node.attention === undefined) return node;
  const { attention: _settled, ...rest } = node;
  return rest;
}

function identity({
  runtime,
  containerId,
}: Pick<StatusSignal, 'runtime' | 'containerId'>): Partial<NodeView> {
  return { ...(runtime && { runtime }), ...(containerId !== undefined && { containerId }) };
}

function withNodeError(model: RunModel, failed: ErrorSignal, at: number): RunModel {
  const { launchId: _fence, state, ...said } = failed;
  const node = model.nodes.get(failed.error.node);
  const after = node && moved(node, state, at);
  return after ? withNode(model, { ...after, ...said }) : model;
}

function withStop(model: RunModel, stop: StopSignal, at: number): RunModel {
  const ofAnotherLaunch = stop.launchId !== undefined && stop.launchId !== model.run.launchId;
  if (ofAnotherLaunch || model.run.stop || isTerminalRun(model.run.state)) return model;
  const { by, reason } = stop;
  return { ...model, run: { ...model.run, stop: { by, at, ...(reason !== undefined && { reason }) } } };
}

function withBringDown(model: RunModel, at: number): RunModel {
  const stopping = withRunState(model, 'stopping', at);
  if (stopping === model) return model;
  const nodes = [...model.nodes].map(([name, node]): [string, NodeView] => [
    name,
    moved(node, 'stopping', at) ?? node,
  ]);
  return { ...stopping, nodes: new Map(nodes) };
}

function withEnd(
  model: RunModel,
  state: 'complete' | 'failed' | 'stopped',
  results: StoredResult[] | undefined,
  at: number,
): RunModel {
  const ended = withRunState(model, state, at);
  if (ended === model) return model;
  const error = state === 'failed' ? primaryError(model) : undefined;
  const absent = state === 'complete' ? sites(model).filter(endedBadly).map(absence) : [];
  return {
    ...ended,
    run: {
      ...ended.run,
      ...(error && { error }),
      ...(results && { results }),
      ...(absent.length > 0 && { without: absent }),
    },
  };
}

const absence = ({ node, state, error }: NodeView) => ({
  node,
  state,
  why: error?.message ?? `${node} is ${state}`,
});

/** The sites of a run, in the order of its input. */
export function sites(model: RunModel): NodeView[] {
  return [...model.nodes.values()].filter((node) => node.node !== CENTRAL_NODE);
}

/** The central node of a run. */
export function central(model: RunModel): NodeView {
  const node = model.nodes.get(CENTRAL_NODE);
  if (!node) throw new Error('a run model has a central node by construction');
  return node;
}

/** What the run should do next. */
export type Verdict =
  { type: 'wait' } | { type: 'complete' } | { type: 'stop' } | { type: 'fail'; error: NodeError };

const endedBadly = (node: NodeView) => isTerminalNode(node.state) && node.state !== 'complete';

/** Judges a run that is up, by its computation's failure policy. */
export function verdict(model: RunModel, policy: Omit<Computation['failure'], 'mayReturn'>): Verdict {
  if (model.run.stop) return { type: 'stop' };
  if (model.run.error) return { type: 'fail', error: model.run.error };
  const all = sites(model);
  const bad = all.filter(endedBadly);
  const hub = central(model);
  const needed = policy.minSites === 'all' ? all.length : Math.min(policy.minSites, all.length);
  const cannotSucceed =
    endedBadly(hub) ||
    (policy.onSiteFailure === 'fail-run' && bad.length > 0) ||
    all.length - bad.length < needed;
  if (cannotSucceed)
    return { type: 'fail', error: primaryError(model) ?? tooFewSites(needed, all.length - bad.length) };
  const everyoneEnded = hub.state === 'complete' && all.every((site) => isTerminalNode(site.state));
  return everyoneEnded ? { type: 'complete' } : { type: 'wait' };
}

function tooFewSites(needed: number, left: number): NodeError {
  return {
    node: CENTRAL_NODE,
    phase: 'watch',
    type: 'TooFewSites',
    message: `${left} sites can still complete, ${needed} are required`,
  };
}

/**
 * The error that a failed run is known by: the earliest, for later ones are mostly its consequences. Where a site and the
 * central node fail at the same moment, or the central node says that a site was the cause, it is the site's.
 */
export function primaryError(model: RunModel): NodeError | undefined {
  if (model.run.error) return model.run.error;
  const [hub, all] = [central(model), sites(model)];
  const firstOfSites = earliestError(all);
  if (hub.error === undefined || hub.origin !== 'site') return earliestError([...all, hub]);
  const blamed =
    all.find(({ node, name }) => [node, name].includes(hub.scope ?? '')) ?? siteNamedIn(hub.error, all);
  return firstOfSites ?? (blamed && { ...hub.error, node: blamed.node }) ?? hub.error;
}

function earliestError(nodes: readonly NodeView[]): NodeError | undefined {
  const failed = nodes.filter(({ error }) => error !== undefined);
  // A node that ends without results has mostly heard of the failure of another.
  const isConsequence = ({ error }: NodeView) => Number(error?.type === 'OutputsMissing');
  const when = ({ endedAt, since }: NodeView) => endedAt ?? since;
  return failed.sort((a, b) => isConsequence(a) - isConsequence(b) || when(a) - when(b))[0]?.error;
}

/** The one site whose id or name is in the first line of an error: a log follows, and mentions everyone. */
function siteNamedIn({ message }: NodeError, all: readonly NodeView[]): NodeView | undefined {
  const [line = ''] = message.split('\n');
  const words = ` ${line.replace(/[^\p{L}\p{N}-]+/gu, ' ')} `;
  const named = all.filter(({ node, name }) => words.includes(` ${node} `) || words.includes(` ${name} `));
  return named.length === 1 ? named[0] : undefined;
}

/** Every node's error, the central node's first. */
export function errors(model: RunModel): NodeError[] {
  return [...model.nodes.values()].flatMap((node) => node.error ?? []);
}
