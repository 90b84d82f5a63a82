/** How far a node has come, as a lane of the phases that it goes through. Pure. */
import type { NodeState, NodeView } from '../workflows/contract';

/** In this order; the last is reached when the node is complete. */
export const PHASES = ['waiting', 'fetching', 'launching', 'running', 'complete'] as const;

const PASSED = '●';
const AHEAD = '○';
const HERE: Partial<Record<NodeState, string>> = {
  failed: '✖',
  refused: '✖',
  lost: '?',
  stopping: '◼',
  stopped: '◼',
};

/** As wide as every lane. */
export const LANE_WIDTH = PHASES.length * 2 - 1;

/** @param wasUp whether the node was seen at work */
export function drawLane(
  { state, containerId }: Pick<NodeView, 'state' | 'containerId'>,
  wasUp: boolean,
): string {
  const at = phaseOf(state, wasUp || containerId !== undefined);
  return PHASES.map((_phase, index) => {
    const line = index === 0 ? '' : index <= at ? '━' : '─';
    if (index < at) return line + PASSED;
    if (index > at) return line + AHEAD;
    return line + (HERE[state] ?? (state === 'complete' ? PASSED : '◉'));
  }).join('');
}

function phaseOf(state: NodeState, wasUp: boolean): number {
  switch (state) {
    case 'waiting':
    case 'fetching':
    case 'launching':
    case 'running':
    case 'complete':
      return PHASES.indexOf(state);
    case 'refused':
      return PHASES.indexOf('fetching');
    case 'failed':
    case 'lost':
    case 'stopping':
    case 'stopped':
      return PHASES.indexOf(wasUp ? 'running' : 'launching');
  }
}
