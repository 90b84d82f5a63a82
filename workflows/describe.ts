/** The run in words, for the Temporal Web UI (markdown). */
import { CENTRAL_NODE, type NodeError, type NodeView } from './contract';
import { turnOf } from './errors';
import type { RunModel } from './run-state';

/** A page has room for some sites; beyond that, only those that are in trouble are named. */
const SITES_IN_FULL = 30;

/** One line for the run, one for each node. */
export function describeRun({ run, nodes }: RunModel): string {
  const all = [...nodes.values()];
  const named =
    all.length <= SITES_IN_FULL ? all : all.filter((node) => node.node === CENTRAL_NODE || inTrouble(node));
  return [
    `**${run.state}**${run.stop ? `, stop asked for by ${run.stop.by}` : ''}${run.error ? `: ${run.error.message}` : ''}`,
    '',
    ...(named.length < all.length ? [`- ${counts(all)}`] : []),
    ...named.slice(0, SITES_IN_FULL).map(line),
  ].join('\n');
}

const inTrouble = (node: NodeView) => node.error !== undefined || node.attention !== undefined;

function line({ name, state, containerId, error, attention }: NodeView): string {
  const where = containerId === undefined ? '' : ` \`${containerId.slice(0, 12)}\``;
  const trouble = error
    ? `: ${inWords(error)}`
    : attention
      ? `: ${inWords(attention)} (${turnOf(attention.type)} can mend it)`
      : '';
  return `- ${name}: **${state}**${where}${trouble}`;
}

const inWords = ({ type, message }: NodeError) => `${type}: ${message.slice(0, 200)}`;

function counts(nodes: readonly NodeView[]): string {
  const by = new Map<string, number>();
  for (const { state } of nodes) by.set(state, (by.get(state) ?? 0) + 1);
  return [...by].map(([state, count]) => `${count} ${state}`).join(', ');
}
