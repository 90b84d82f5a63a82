/** What there is to see of a run: a description of the picture, without any of its drawing. Pure. */
import type { ErrorEntry, RetryFrom } from '../workflows/api-contract';
import {
  CENTRAL_NODE,
  edgeRunWorkflowId,
  type NodeError,
  type NodeState,
  type NodeView,
  type RunState,
  type RunView,
} from '../workflows/contract';
import { count, list } from './format';
import { wordsOfPhase } from './phase-words';
import {
  isRunPhase,
  NODE_PHASES,
  RUN_PHASES,
  type KnownNode,
  type NodePhase,
  type RunModel,
  type RunPhase,
} from './model';

/** A tone is a colour with a meaning; it never stands alone: the state's sign and name stand beside it. */
export type Tone = 'idle' | 'active' | 'good' | 'warn' | 'bad' | 'halt';
/** What is drawn at a station: the state's own sign, or that somebody can mend something now. */
export type Sign = RunState | NodeState | 'retrying';
/** A station of the way: left behind, where the traveller is, still ahead, or not on this traveller's way. */
export type Mark = 'passed' | 'here' | 'ahead' | 'absent';

export interface Standing {
  state: RunState | NodeState;
  sign: Sign;
  tone: Tone;
  label: string;
  since: number;
  /** Whether nothing will change any more by itself. */
  ended: boolean;
}

export interface Step extends Standing {
  steps: { phase: RunPhase; mark: Mark }[];
}

export interface NodePicture extends Standing {
  node: string;
  name: string;
  phase: NodePhase;
  stations: { phase: NodePhase; mark: Mark }[];
  /** 0 to 1, as the node reported it. */
  progress: number | undefined;
  /** What the node said of itself. */
  note: string | undefined;
  attention: NodeError | undefined;
  error: NodeError | undefined;
  /** All of it in one sentence. */
  spoken: string;
  view: NodeView;
}

/** How many sites are in a state; `retrying` counts across states. */
export interface Tally {
  sign: Sign;
  tone: Tone;
  label: string;
  count: number;
}

export interface StopPicture {
  by: string;
  at: number;
  reason: string | undefined;
  total: number;
  confirmed: string[];
  outstanding: string[];
  unconfirmed: string[];
}

/** Whether an error is one to mend, one that decided something, or one that was overcome. */
export type ErrorStanding = 'retrying' | 'final' | 'past';
/** The same thing gone wrong, at one node or at many. */
export interface ErrorGroup {
  key: string;
  standing: ErrorStanding;
  earlierLaunch: boolean;
  type: string;
  phase: string;
  advice: string;
  /** Whose turn it is. */
  turn: string;
  /** The earliest first: later ones are mostly its consequences. */
  members: { key: string; name: string; entry: ErrorEntry }[];
}

/** What matters most about the run now, where its state alone does not say it. */
export interface Verdict {
  tone: Tone;
  title: string;
  text: string;
  /** What to do about it, and whose turn it is, where that is known. */
  advice?: string;
  turn?: string;
}

export interface Picture {
  run: RunView;
  step: Step;
  central: NodePicture | undefined;
  sites: NodePicture[];
  tallies: Tally[];
  /** Sites that are at each phase of the way, those that left it excepted. */
  flow: { phase: NodePhase; count: number }[];
  verdict: Verdict | undefined;
  stop: StopPicture | undefined;
  errors: ErrorGroup[];
  /** What a screen reader says when it changes. */
  spoken: string;
}

const RUN_LABELS: Record<RunState, [label: string, tone: Tone]> = {
  provisioning: ['Provisioning', 'active'],
  publishing: ['Publishing kits', 'active'],
  launching: ['Launching', 'active'],
  running: ['Running', 'active'],
  stopping: ['Stopping', 'halt'],
  complete: ['Complete', 'good'],
  failed: ['Failed', 'bad'],
  stopped: ['Stopped', 'halt'],
};
const NODE_LABELS: Record<NodeState, [label: string, tone: Tone]> = {
  waiting: ['Waiting', 'idle'],
  fetching: ['Fetching kit', 'active'],
  launching: ['Launching', 'active'],
  running: ['Running', 'active'],
  complete: ['Complete', 'good'],
  failed: ['Failed', 'bad'],
  refused: ['Refused', 'bad'],
  stopping: ['Stopping', 'halt'],
  stopped: ['Stopped', 'halt'],
  lost: ['Lost', 'bad'],
};
/** What needs eyes first, first. */
const TALLY_ORDER: readonly NodeState[] = [
  'failed',
  'refused',
  'lost',
  'stopping',
  'stopped',
  'waiting',
  'fetching',
  'launching',
  'running',
  'complete',
];
const ENDED: readonly (RunState | NodeState)[] = ['complete', 'failed', 'refused', 'stopped', 'lost'];

/** More sites than this are drawn as a mosaic instead of a row each. */
export const MOST_ROWS = 30;

/** How a run stands. */
export function runStanding({ state, since }: Pick<RunView, 'state' | 'since'>): Standing {
  const [label, tone] = RUN_LABELS[state];
  return { state, sign: state, tone, label, since, ended: ENDED.includes(state) };
}

/** The picture of `model`. */
export function picture(model: RunModel): Picture {
  const nodes = [...model.nodes.values()].map(nodePicture);
  const sites = nodes.filter(({ node }) => node !== CENTRAL_NODE);
  const errors = errorGroups(model);
  const step = { ...runStanding(model.run), steps: stations(RUN_PHASES, model.reached) };
  return {
    run: model.run,
    step,
    central: nodes.find(({ node }) => node === CENTRAL_NODE),
    sites,
    tallies: tallies(sites),
    flow: NODE_PHASES.map((phase) => ({ phase, count: sites.filter(({ state }) => state === phase).length })),
    verdict: verdict(model, errors),
    stop: stopPicture(model.run, nodes),
    errors,
    spoken: spokenRun(step, sites),
  };
}

function stations<Phase extends string>(
  way: readonly Phase[],
  reached: Phase,
  absent?: Phase,
): { phase: Phase; mark: Mark }[] {
  const here = way.indexOf(reached);
  return way.map((phase, index) => {
    if (index === here) return { phase, mark: 'here' };
    if (phase === absent) return { phase, mark: 'absent' };
    return { phase, mark: index < here ? 'passed' : 'ahead' };
  });
}

function nodePicture({ view, reached }: KnownNode): NodePicture {
  const [label, tone] = NODE_LABELS[view.state];
  const { node, name, state, since, report, attention, error } = view;
  const progress = state === 'running' ? report?.progress : undefined;
  const note =
    state === 'running' && report ? [report.phase, report.detail].filter(Boolean).join(' ') : undefined;
  const standing: Omit<NodePicture, 'spoken'> = {
    node,
    name,
    state,
    sign: attention ? 'retrying' : state,
    tone: attention ? 'warn' : tone,
    label,
    since,
    ended: ENDED.includes(state),
    phase: reached,
    // The central node is launched where its kit was made: it fetches nothing.
    stations: stations(NODE_PHASES, reached, node === CENTRAL_NODE ? 'fetching' : undefined),
    progress,
    note,
    attention,
    error,
    view,
  };
  return { ...standing, spoken: spokenNode(standing) };
}

function spokenNode({ name, label, progress, note, attention, error }: Omit<NodePicture, 'spoken'>): string {
  const facts = [
    label.toLowerCase(),
    note,
    progress === undefined ? undefined : percent(progress),
    attention && `being retried after ${attention.type}`,
    error?.type,
  ];
  return `${name}: ${facts.filter(Boolean).join(', ')}`;
}

/** A part of 1 as people read it: `30 %`. It is not 100 before it is 1. */
export const percent = (part: number) => `${Math.floor(Math.min(1, Math.max(0, part)) * 100)} %`;

function tallies(sites: readonly NodePicture[]): Tally[] {
  const retrying: Tally = {
    sign: 'retrying',
    tone: 'warn',
    label: 'Being retried',
    count: sites.filter(({ attention }) => attention).length,
  };
  const byState = TALLY_ORDER.map((state): Tally => {
    const [label, tone] = NODE_LABELS[state];
    return { sign: state, tone, label, count: sites.filter((site) => site.state === state).length };
  });
  return [retrying, ...byState].filter((tally) => tally.count > 0);
}

/** Whether `site` is one of those that `sign` counts. */
export const isCounted = (site: NodePicture, sign: Sign) =>
  sign === 'retrying' ? site.attention !== undefined : site.state === sign;

function stopPicture({ stop }: RunView, nodes: readonly NodePicture[]): StopPicture | undefined {
  if (!stop) return undefined;
  const named = (belongs: (node: NodePicture) => boolean) => nodes.filter(belongs).map(({ name }) => name);
  return {
    by: stop.by,
    at: stop.at,
    reason: stop.reason,
    total: nodes.length,
    confirmed: named(({ ended, state }) => ended && state !== 'lost'),
    outstanding: named(({ ended }) => !ended),
    unconfirmed: named(({ state }) => state === 'lost'),
  };
}

const ERROR_ORDER: readonly ErrorStanding[] = ['retrying', 'final', 'past'];

function errorGroups(model: RunModel): ErrorGroup[] {
  const groups = new Map<string, ErrorGroup>();
  for (const [key, entry] of [...model.errors].sort(([, a], [, b]) => a.firstAt - b.firstAt)) {
    const known = model.nodes.get(entry.node)?.view;
    const earlierLaunch = entry.launchId !== undefined && entry.launchId !== model.run.launchId;
    const standing = earlierLaunch ? 'past' : errorStanding(entry, known, model.run);
    const { type, phase, advice, turn } = entry;
    const groupKey = [standing, earlierLaunch, type, phase].join(' ');
    const group = groups.get(groupKey) ?? {
      key: groupKey,
      standing,
      earlierLaunch,
      type,
      phase,
      advice,
      turn,
      members: [],
    };
    group.members.push({ key, name: known?.name ?? entry.node, entry });
    groups.set(groupKey, group);
  }
  return ERROR_ORDER.flatMap((standing) =>
    [...groups.values()].filter((group) => group.standing === standing),
  );
}

/** A retried error is past once what it happened to has moved on; it decided something if that then failed. */
function errorStanding(entry: ErrorEntry, node: NodeView | undefined, run: RunView): ErrorStanding {
  if (!entry.retrying) return 'final';
  const subject = node ?? run;
  if (node?.attention || subject.since <= entry.lastAt) return 'retrying';
  return ['failed', 'refused', 'lost'].includes(subject.state) ? 'final' : 'past';
}

function verdict({ run, nodes }: RunModel, errors: readonly ErrorGroup[]): Verdict | undefined {
  if (run.error) {
    const { node, type, phase, message } = run.error;
    const known = errors.find(
      (group) => group.type === type && group.phase === phase && !group.earlierLaunch,
    );
    return {
      tone: 'bad',
      title: `${nodes.get(node)?.view.name ?? node}: ${type} ${wordsOfPhase(phase)}`,
      // The rest, mostly of a log, stands with the errors.
      text: message.split('\n', 1)[0] ?? message,
      ...adviceOf(known),
    };
  }
  if (run.state === 'stopping' && !run.stop) {
    return { tone: 'bad', title: 'The run has failed', text: 'Its other nodes are being stopped.' };
  }
  if (run.state === 'complete' && run.without && run.without.length > 0) {
    const names = run.without.map(({ node }) => nodes.get(node)?.view.name ?? node);
    return {
      tone: 'warn',
      title: `Complete without ${list(names.slice(0, MOST_ROWS))}`,
      text: run.without
        .slice(0, MOST_ROWS)
        .map(({ why }, index) => `${names[index] ?? ''}: ${why}`)
        .join('\n'),
    };
  }
  const retrying = errors.filter(({ standing }) => standing === 'retrying');
  if (retrying.length === 0 || !isRunPhase(run.state)) return undefined;
  const what = count(retrying.flatMap(({ members }) => members).length, 'failure is', 'failures are');
  return {
    tone: 'warn',
    title: `${what} being retried`,
    text: 'Once the cause is mended, the run goes on by itself.',
    ...(retrying.length === 1 && adviceOf(retrying[0])),
  };
}

/** What the errors say of it, where they say anything. */
const adviceOf = (group: ErrorGroup | undefined): Pick<Verdict, 'advice' | 'turn'> => ({
  ...(group && group.advice !== '' && { advice: group.advice }),
  ...(group && group.turn !== '' && { turn: group.turn }),
});

function spokenRun(step: Step, sites: readonly NodePicture[]): string {
  const many = (amount: number, what: string) =>
    amount === 0 ? undefined : `${count(amount, 'site')} ${what}`;
  const facts = [
    `Run ${step.label.toLowerCase()}`,
    many(sites.filter(({ attention }) => attention).length, 'being retried'),
    many(sites.filter(({ tone }) => tone === 'bad').length, 'failed'),
    step.state === 'stopping' ? many(sites.filter(({ ended }) => ended).length, 'confirmed') : undefined,
  ];
  return facts.filter(Boolean).join(', ');
}

/** Whether a stop may still be asked for. */
export const mayStop = ({ run }: Picture) =>
  isRunPhase(run.state) && run.state !== 'complete' && run.stop === undefined;

/** From where a run may be begun anew now. */
export function retryChoices({ run, step, sites, central }: Picture): RetryFrom[] {
  if (run.state === 'complete') return [];
  const isOver = step.ended || run.stop !== undefined || run.state === 'stopping';
  if (isOver || (run.state !== 'launching' && run.state !== 'running')) return ['provision'];
  const takesSites = run.state === 'running' && central?.ended !== true && sites.some(mayBeginAnew);
  return takesSites ? ['provision', 'launch', 'sites'] : ['provision', 'launch'];
}

/** Whether the node of a site alone can begin anew while the run goes on. */
export const mayBeginAnew = ({ state }: NodePicture) => state !== 'complete';

/** The workflow of a site's part in the run, in Temporal's Web UI; `temporal` is the run's own. */
export function siteWorkflow(temporal: string, runId: string, site: string): string {
  return temporal.replace(
    /\/workflows\/[^/]+$/,
    `/workflows/${encodeURIComponent(edgeRunWorkflowId(runId, site))}`,
  );
}
