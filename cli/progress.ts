/**
 * A run as its events tell it, and how it looks in a terminal: as a block that is drawn again and again, or as lines,
 * one per change. Pure: the drawing itself is in terminal.ts.
 */
import type { Colors } from 'picocolors/types';
import type { FollowedEvent } from '../client';
import type { ErrorEntry } from '../workflows/api-contract';
import {
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type NodeReport,
  type NodeState,
  type NodeView,
  type RunView,
} from '../workflows/contract';
import { drawLane } from './lanes';

export interface Progress {
  run: RunView | undefined;
  /** In the order in which they were first heard of. */
  nodes: readonly NodeView[];
  errors: readonly ErrorEntry[];
  /** When each node first ran, by its name. */
  upAt: Readonly<Record<string, number>>;
}

export const NOTHING_YET: Progress = { run: undefined, nodes: [], errors: [], upAt: {} };

/** The progress after `event`. */
export function advance(progress: Progress, event: FollowedEvent): Progress {
  switch (event.type) {
    case 'run':
      return { ...progress, run: event.data };
    case 'node':
      return withNode(progress, event.data);
    case 'error':
      return { ...progress, errors: replaced(progress.errors, event.data, sameError) };
    case 'CentralClientStartRun':
    case 'EdgeClientStartRun':
      return progress;
  }
}

function withNode(progress: Progress, view: NodeView): Progress {
  const isUp = view.state === 'running' || view.state === 'complete';
  return {
    ...progress,
    nodes: replaced(progress.nodes, view, (other) => other.node === view.node),
    upAt: isUp ? { [view.node]: view.since, ...progress.upAt } : progress.upAt,
  };
}

/** `items` with `item` in the place of the one that `same` finds, or at the end. */
function replaced<T>(items: readonly T[], item: T, same: (other: T, item: T) => boolean): T[] {
  const index = items.findIndex((other) => same(other, item));
  return index < 0 ? [...items, item] : items.with(index, item);
}

const sameError = (a: ErrorEntry, b: ErrorEntry) =>
  a.node === b.node && a.phase === b.phase && a.type === b.type && a.launchId === b.launchId;

export const isOver = ({ run }: Progress): boolean =>
  run !== undefined && TERMINAL_RUN_STATES.includes(run.state);

// ---------------------------------------------------------------- words

/** A length of time for people: `0.4 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  if (minutes < 60) return `${minutes} min ${two(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** `text` fit for one line of a terminal: what a node says may hold anything. */
export function plain(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}

/** What a node says of itself, in one line. */
export function reportWords({ phase, detail, progress }: NodeReport): string {
  const share = progress === undefined ? '' : `${Math.round(progress * 100)} %`;
  return [plain(phase), plain(detail ?? ''), share].filter((part) => part !== '').join(' ');
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** An error in one line: where, what and whose turn it is. */
export function describeError({ node, type, phase, message, retrying, advice }: ErrorEntry): string {
  const again = retrying ? ', trying again' : '';
  return `${node}: ${type} (${phase}${again}): ${sentence(plain(message))} ${plain(advice)}`.trim();
}

/** What `after` says that `before` did not, one line each. Errors are left to {@link newErrors}. */
export function describeChanges(before: Progress, after: Progress): string[] {
  const lines: string[] = [];
  const startedAt = after.run?.startedAt;
  const stamp = (at: number) => (startedAt === undefined ? '' : `[${formatElapsed(at - startedAt)}] `);
  const { run } = after;
  if (run !== undefined && run.state !== before.run?.state) lines.push(`${stamp(run.since)}run ${run.state}`);
  for (const node of after.nodes) {
    const old = before.nodes.find((other) => other.node === node.node);
    if (node.state !== (old?.state ?? 'waiting'))
      lines.push(`${stamp(node.since)}${node.node} ${node.state}${whereItRuns(node)}`);
    const words = wordsOf(node);
    if (words !== '' && words !== wordsOf(old)) lines.push(`${node.node} ${words}`);
  }
  return lines;
}

const COMING_UP: readonly NodeState[] = ['waiting', 'fetching', 'launching'];

/** What a node says of itself may be here before the word that it is up; until then, it is held back. */
const wordsOf = (node: NodeView | undefined) =>
  node?.report === undefined || COMING_UP.includes(node.state) ? '' : reportWords(node.report);

const whereItRuns = ({ state, runtime, containerId }: NodeView) =>
  state === 'running' && runtime !== undefined && containerId !== undefined
    ? ` (${runtime} ${containerId.slice(0, 12)})`
    : '';

/** Errors that `after` has and `before` had not, or that are now tried again or no longer. */
export function newErrors(before: Progress, after: Progress): ErrorEntry[] {
  return after.errors.filter((entry) => {
    const old = before.errors.find((other) => sameError(other, entry));
    return old?.retrying !== entry.retrying;
  });
}

// ---------------------------------------------------------------- the block

export interface BlockStyle {
  colors: Colors;
  /** Lines are cut to this many characters, for a block whose lines wrap cannot be drawn over. */
  width: number;
  /** As many lines at most. */
  height: number;
}

const SYMBOLS: Record<NodeState, string> = {
  waiting: '·',
  fetching: '↓',
  launching: '↑',
  running: '●',
  complete: '✔',
  failed: '✖',
  refused: '⊘',
  stopping: '◼',
  stopped: '◼',
  lost: '?',
};

/** A terminal that is narrower has room for words alone. */
const LANES_FROM_WIDTH = 60;

/** The whole picture: the run, then a lane per node through the phases as far as the height allows. */
export function drawBlock(progress: Progress, now: number, { colors, width, height }: BlockStyle): string[] {
  const { nodes, upAt } = progress;
  const laneOf = (node: NodeView) =>
    width < LANES_FROM_WIDTH ? '' : drawLane(node, upAt[node.node] !== undefined);
  const room = nodes.length < height ? nodes.length : Math.max(0, height - 2);
  const nameWidth = Math.max(0, ...nodes.map(({ node }) => node.length));
  const rows = nodes.slice(0, room).map((node) => {
    const paint = painter(node.state, colors);
    return `  ${paint(SYMBOLS[node.state])} ${cut(nodeWords(node, { nameWidth, now, lane: laneOf(node) }), width - 4)}`;
  });
  const rest = nodes.length > room ? [colors.dim(cut(`  … and ${nodes.length - room} more`, width))] : [];
  return [colors.bold(cut(headline(progress, now), width)), ...rows, ...rest];
}

function headline({ run }: Progress, now: number): string {
  if (run === undefined) return 'run: starting';
  const end = TERMINAL_RUN_STATES.includes(run.state) ? run.since : now;
  return `run ${run.runId}: ${run.state}, ${formatElapsed(end - run.startedAt)}`;
}

function nodeWords(
  { node, state, since, report, attention }: NodeView,
  { nameWidth, now, lane }: { nameWidth: number; now: number; lane: string },
): string {
  const words =
    attention === undefined
      ? report && reportWords(report)
      : `${attention.type}: ${plain(attention.message)}`;
  const parts = [
    node.padEnd(nameWidth),
    ...(lane === '' ? [] : [lane]),
    state.padEnd('launching'.length),
    ...(TERMINAL_NODE_STATES.includes(state) ? [] : [formatElapsed(now - since).padStart(7)]),
    ...(words === undefined ? [] : [words]),
  ];
  return parts.join('  ').trimEnd();
}

function painter(state: NodeState, colors: Colors): (text: string) => string {
  switch (state) {
    case 'complete':
      return colors.green;
    case 'running':
      return colors.cyan;
    case 'failed':
    case 'refused':
    case 'lost':
      return colors.red;
    case 'stopping':
    case 'stopped':
      return colors.yellow;
    case 'waiting':
    case 'fetching':
    case 'launching':
      return colors.dim;
  }
}

function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
