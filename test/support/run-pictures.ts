/** Runs, nodes and errors as the central API tells of them, for tests that only care about some of their parts. */
import type { FollowedEvent } from '../../client';
import type { ErrorEntry } from '../../workflows/api-contract';
import type { NodeView, RunView } from '../../workflows/contract';

export const START = 1_700_000_000_000;

export const runView = (more: Partial<RunView> = {}): RunView => ({
  runId: 'penguins-1',
  launchId: 'abcdefghijkl',
  consortium: { id: 'penguins', name: 'Penguins' },
  computation: { name: 'penguins-regression', version: '1.0.0' },
  state: 'running',
  since: START,
  startedAt: START,
  startedBy: 'someone',
  ...more,
});

export const nodeView = (node: string, more: Partial<NodeView> = {}): NodeView => ({
  node,
  name: node,
  state: 'waiting',
  since: START,
  ...more,
});

export const errorEntry = (more: Partial<ErrorEntry> = {}): ErrorEntry => ({
  node: 'biscoe',
  phase: 'launchEdgeNode',
  type: 'DataMissing',
  message: 'no folder /data/b',
  runId: 'penguins-1',
  launchId: 'abcdefghijkl',
  count: 1,
  firstAt: START,
  lastAt: START,
  retrying: false,
  turn: 'the host',
  advice: 'Map the dataset.',
  ...more,
});

/** What is different from one kind of event to the other. */
type News<E extends FollowedEvent = FollowedEvent> = E extends unknown ? Pick<E, 'type' | 'data'> : never;

export const followed = (news: News): FollowedEvent => ({ id: 1, runId: 'penguins-1', at: START, ...news });
