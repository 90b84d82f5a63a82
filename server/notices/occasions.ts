/** What of a report is worth a notice: pure decisions, without a database. */
import type { NodeView, RunView } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { NoticeEvent } from '../../workflows/notice-contract';

/** Something that happened to a run and that people are told of. No message of a node is in it: that might tell of patients. */
export interface Occasion {
  event: NoticeEvent;
  runId: string;
  consortium: { id: string; name: string };
  /** The launch it happened to; of a run that had none yet, the execution. */
  launch: string;
  state: RunView['state'];
  at: number;
  /** Type and place of the failure. */
  cause?: string;
  node?: string;
}

/** A run and the launch that its view is of. */
export interface Seen {
  view: RunView;
  launch: string;
}

/** The end of a run, unless that was known before. */
export function endOf(before: Seen | undefined, { view, launch }: Seen, at: number): Occasion[] {
  if (!isTerminalRun(view.state)) return [];
  if (before && before.launch === launch && isTerminalRun(before.view.state)) return [];
  const { runId, consortium, state, error } = view;
  const event = state === 'failed' ? 'failed' : 'finished';
  const { id, name } = consortium;
  const why = error && { cause: error.type, node: error.node };
  return [{ event, runId, consortium: { id, name }, launch, state, at, ...why }];
}

/** What opens again by itself is waited for by nobody. */
const NOBODYS: readonly string[] = ['SiteClosed'];

/** The failures that nodes newly wait for a person to mend, one of each type. */
export function newWaits(
  before: ReadonlyMap<string, { view: NodeView }>,
  after: readonly NodeView[],
): Map<string, string> {
  const waits = new Map<string, string>();
  for (const { node, attention } of after) {
    if (!attention || NOBODYS.includes(attention.type) || waits.has(attention.type)) continue;
    if (before.get(node)?.view.attention?.type !== attention.type) waits.set(attention.type, node);
  }
  return waits;
}

/**
 * That a run waits for a person. A thousand sites that ask for the same are one notice: `others` are the nodes that were
 * waiting already.
 */
export function waitsOf(
  { view, launch }: Seen,
  waits: ReadonlyMap<string, string>,
  others: readonly NodeView[],
  at: number,
): Occasion[] {
  if (isTerminalRun(view.state)) return [];
  const known = new Set(others.map(({ attention }) => attention?.type));
  const { runId, state } = view;
  const { id, name } = view.consortium;
  return [...waits]
    .filter(([cause]) => !known.has(cause))
    .map(([cause, node]) => ({
      event: 'waiting',
      ...{ runId, consortium: { id, name }, launch, state, at, cause, node },
    }));
}

/** Approval is asked for on purpose; anything else may pass by itself in a moment, and is told if it does not. */
export const isToldAtOnce = ({ event, cause }: Occasion) => event !== 'waiting' || cause === 'ApprovalNeeded';
