/** The central node of a launch, on the host that was chosen for it: up, watched, and down again. */
import { CancellationScope, log, proxyActivities } from '@temporalio/workflow';
import * as options from './activity-options';
import {
  CENTRAL_NODE,
  LaunchedNode,
  NodeOutcome,
  StoppedNode,
  type HostActivities,
  type Kit,
  type StatusSignal,
} from './contract';
import { nodeFailure } from './failures';
import { nodeComputation, toConfirm, unconfirmed, type LaunchContext } from './launch-context';
import type { Fact } from './run-state';

export class CentralNode {
  /** What is known of its end; kept for {@link stop}. */
  private end: Fact | undefined;

  constructor(private readonly launch: LaunchContext) {}

  /** Brings it up, and then watches it beside everything else. */
  async bringUp(hostQueue: string, ports: number[], kit: Kit): Promise<void> {
    const { input, ref } = this.launch;
    const { launchCentralNode } = proxyActivities<HostActivities>({
      ...options.launching(hostQueue, input.windows),
      summary: `central node on ${hostQueue}`,
    });
    this.is({ state: 'launching' });
    const launched = await launchCentralNode({ ...ref(), computation: nodeComputation(input), kit, ports });
    const { runtime, containerId } = LaunchedNode.parse(launched);
    this.is({ state: 'running', runtime, containerId });
    void this.supervise(hostQueue);
  }

  /** Runs beside everything else until the node ends. */
  async supervise(hostQueue: string): Promise<void> {
    const { input, ref, learn, model } = this.launch;
    const { superviseNode } = proxyActivities<HostActivities>({
      ...options.supervising(hostQueue, input.computation, input.windows),
      summary: 'until the central node ends',
    });
    const { launchId } = ref();
    const node = { ...ref(), node: CENTRAL_NODE, computation: nodeComputation(input) };
    try {
      // Not cancelled with the steps: the node's own account of its end is the truth also when it is being stopped.
      const outcome = await CancellationScope.nonCancellable(() => superviseNode(node));
      const { outputs } = NodeOutcome.parse(outcome);
      const state = 'complete';
      this.end = { type: 'status', status: { launchId, node: CENTRAL_NODE, state, exitCode: 0, outputs } };
    } catch (error) {
      const failed = nodeFailure(CENTRAL_NODE, error, 'the central worker did not answer');
      this.end = { type: 'error', failed: { launchId, ...failed } };
    }
    // While it is being stopped, an exit is what was asked for.
    if (model().run.state !== 'stopping') learn(this.end);
  }

  /** Stops it, confirmed by its host; without a host there is none. */
  async stop(hostQueue: string | undefined): Promise<void> {
    if (hostQueue !== undefined) await this.stopAt(hostQueue);
    this.is({ state: 'stopped' });
  }

  private async stopAt(hostQueue: string): Promise<void> {
    const { input, ref, learn } = this.launch;
    const grace = input.computation.deadlines.stopGrace;
    const { stopNode } = proxyActivities<HostActivities>({
      ...options.stopping(hostQueue, grace),
      scheduleToCloseTimeout: toConfirm(input),
      summary: 'stop the central node',
    });
    try {
      const { wasRunning } = StoppedNode.parse(await stopNode({ ...ref(), node: CENTRAL_NODE, grace }));
      // It had ended by itself: how is known to whoever supervised it.
      if (!wasRunning && this.end) learn(this.end);
    } catch (error) {
      log.error('central node: stop not confirmed', { error: String(error) });
      unconfirmed(this.launch, CENTRAL_NODE);
    }
  }

  private is(status: Omit<StatusSignal, 'launchId' | 'node'>): void {
    const { launchId } = this.launch.ref();
    this.launch.learn({ type: 'status', status: { launchId, node: CENTRAL_NODE, ...status } });
  }
}
