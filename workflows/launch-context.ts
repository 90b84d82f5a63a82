/** What the parts of a launch (central-node.ts, site-nodes.ts) know of it, and how they tell it what they learn. */
import {
  toMilliseconds,
  type FederationEndpoint,
  type LaunchRef,
  type NodeComputation,
  type RunInput,
} from './contract';
import type { Fact, RunModel } from './run-state';

export interface LaunchContext {
  readonly input: RunInput;
  readonly ref: () => LaunchRef;
  readonly model: () => RunModel;
  /** Once it is known; not at all in a launch that was under way before it was kept. */
  readonly endpoint: () => FederationEndpoint | undefined;
  readonly learn: (fact: Fact) => void;
}

/** What a node needs to know of the computation. */
export function nodeComputation({ computation }: Pick<RunInput, 'computation'>): NodeComputation {
  const { parameters: _parameters, provisionInput: _input, ...rest } = computation;
  return rest;
}

/** Milliseconds from asking a node to stop until it counts as lost. */
export const toConfirm = ({ computation, windows }: RunInput): number =>
  toMilliseconds(computation.deadlines.stopGrace) + toMilliseconds(windows.stopConfirm);

/** A node that was to stop and says nothing. */
export function unconfirmed({ ref, learn }: LaunchContext, node: string, launchId = ref().launchId): void {
  const message = `${node} did not confirm that its node stopped; it is told again as soon as it answers`;
  const error = { node, phase: 'stopping', type: 'StopUnconfirmed', message };
  learn({ type: 'error', failed: { launchId, error, state: 'lost' } });
}
