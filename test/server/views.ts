/** What a run reports of itself and its nodes, made short. */
import type { ErrorReportBody, StatusReportBody } from '../../workflows/api-contract';
import {
  CENTRAL_NODE,
  type NodeState,
  type NodeView,
  type RunState,
  type RunView,
} from '../../workflows/contract';

export const LAUNCH = 'launch000001';

export function runView(runId: string, state: RunState, more: Partial<RunView> = {}): RunView {
  return {
    ...{ runId, state, launchId: LAUNCH, since: 1, startedAt: 1, startedBy: 'someone' },
    consortium: { id: 'penguins', name: 'Penguins' },
    computation: { name: 'example', version: '1.0.0' },
    ...more,
  };
}
export function nodeView(node: string, state: NodeState, more: Partial<NodeView> = {}): NodeView {
  return { node, name: node === CENTRAL_NODE ? 'Central node' : `Site ${node}`, state, since: 1, ...more };
}

/** A status report; `at` orders it among others. */
export function statusReport(
  run: RunView,
  nodes: NodeView[],
  { at, seq = 1, execution = 'first-execution' }: { at: number; seq?: number; execution?: string },
): StatusReportBody {
  return { at, seq, execution, run, nodes };
}

export function errorReport(
  more: Partial<ErrorReportBody['error']>,
  retrying: boolean,
  at: number,
): ErrorReportBody {
  const error = { node: 'alpha', phase: 'fetchRunKit', type: 'DataMissing', message: 'no folder', ...more };
  return { launchId: LAUNCH, error, retrying, at };
}
