/**
 * EdgeRunWorkflow: one site's part in a run. It brings the site's node up, watches it, brings it down when asked, and tells
 * RunWorkflow by signals to the run's workflow id. It outlives the run where a site is out of reach, so that a node that
 * was to be stopped is stopped as soon as the site is back.
 */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import * as options from './activity-options';
import {
  EdgeClientStartRun,
  LaunchedNode,
  NodeOutcome,
  StopSignal,
  StoppedNode,
  edgeClientStartRunSignal,
  errorSignal,
  siteQueue,
  statusSignal,
  stopSignal,
  type EdgeActivities,
  type ErrorSignal,
  type NodeState,
  type StatusSignal,
} from './contract';
import { nodeFailure, wasCancelled, wasWaiting } from './failures';
import { forget, onSignal } from './messages';

const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');

/** How long the end of a run's part waits for the site to clean up before it tells the run; the cleaning goes on. */
const CLEAN_UP_COURTESY = '20s';
/** How long a step takes before the run is told of it. */
const TELLING = '1s';
/** A node that had already ended when it was stopped: how long its own account of the end is waited for. */
const LAST_WORD = '20s';

/** Takes its orders by the signal `EdgeClientStartRun` alone; a newer launch replaces an older one. */
export async function EdgeRunWorkflow(): Promise<void> {
  // A request to cancel is a request to stop the node: nothing is dropped half-way.
  const asked = CancellationScope.current().cancelRequested;
  await CancellationScope.nonCancellable(() => new EdgeRun(asked).execute());
}

class EdgeRun {
  private ordered: EdgeClientStartRun | undefined;
  private stop: StopSignal | undefined;

  constructor(cancelRequested: Promise<never>) {
    onSignal(edgeClientStartRunSignal, EdgeClientStartRun, (start) => this.order(start));
    onSignal(stopSignal, StopSignal, (stop) => this.orderStop(stop));
    cancelRequested.catch(() => this.orderStop({ by: 'Temporal', reason: 'the workflow was cancelled' }));
  }

  async execute(): Promise<void> {
    await condition(() => this.ordered !== undefined || this.stop !== undefined);
    let done: EdgeClientStartRun | undefined;
    while (this.ordered && this.ordered !== done) {
      const launch = this.ordered;
      await new EdgeLaunch(launch, () => this.isStopped(launch) || this.ordered !== launch).execute();
      done = launch;
    }
  }

  private isStopped({ launchId }: EdgeClientStartRun): boolean {
    return this.stop !== undefined && (this.stop.launchId === undefined || this.stop.launchId === launchId);
  }

  private order(start: EdgeClientStartRun): void {
    if (start.launchId !== this.ordered?.launchId) this.ordered = start;
  }

  private orderStop(stop: StopSignal): void {
    this.stop = stop;
  }
}

/** How a launch ended at this site. */
type Ending =
  | { type: 'complete'; outcome: NodeOutcome }
  | { type: 'failed'; failed: Omit<ErrorSignal, 'launchId'> }
  | { type: 'stopped' };

/** A site that answers a stop with something else has at least answered: its own account of the end decides. */
const UnknownStop = StoppedNode.catch({ wasRunning: false, forced: false });

class EdgeLaunch {
  private ending: Ending | undefined;
  private readonly node: string;
  private readonly queue: string;

  constructor(
    private readonly start: EdgeClientStartRun,
    /** Whether the node of this launch is no longer to run. */
    private readonly unwanted: () => boolean,
  ) {
    this.node = start.site.id;
    this.queue = siteQueue(start.site.id);
  }

  async execute(): Promise<void> {
    const bringUp = new CancellationScope();
    void this.run(bringUp).then((ending) => (this.ending = ending));
    await condition(() => this.ending !== undefined || this.unwanted());
    if (!this.ending) this.ending = await this.stopNode(bringUp);
    await this.close(this.ending);
  }

  private async run(bringUp: CancellationScope): Promise<Ending> {
    try {
      await bringUp.run(() => this.bringUp());
      return { type: 'complete', outcome: await this.supervise() };
    } catch (error) {
      if (wasCancelled(error)) return { type: 'stopped' };
      return {
        type: 'failed',
        failed: nodeFailure(this.node, error, `the edge worker of ${this.node} did not answer`),
      };
    }
  }

  private async bringUp(): Promise<void> {
    const { consortium, site, computation, windows, kit, endpoint } = this.start;
    this.describe('fetching its kit');
    const { fetchRunKit } = proxyActivities<EdgeActivities>({
      ...options.fetching(site.id, computation, windows),
      summary: `kit of ${site.name}, ${kit.size} bytes`,
    });
    const asked = { ...this.ref(), consortium, site, computation };
    await this.asLongAsTheSiteWaits(() => fetchRunKit({ ...asked, kit }));
    const { launchEdgeNode } = proxyActivities<EdgeActivities>({
      ...options.launching(this.queue, windows),
      summary: `node of ${site.name}`,
    });
    const launched = await this.telling('launching', () =>
      this.asLongAsTheSiteWaits(() => launchEdgeNode({ ...asked, ...(endpoint && { endpoint }) })),
    );
    const { runtime, containerId } = LaunchedNode.parse(launched);
    // Not awaited: the next step need not wait until the run has heard of this one.
    void this.tell({ state: 'running', runtime, containerId });
    this.showStatus('running');
  }

  /**
   * Takes a step anew each time that its attempts were used up by the site letting the run wait. They are counted for
   * what has to be mended; a person's answer, or a quiet night, may take longer. The run bounds it: it stops what is not up
   * within the computation's `deadlines.start`.
   */
  private async asLongAsTheSiteWaits<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (!wasWaiting(error)) throw error;
      }
    }
  }

  /**
   * Takes a step that brings the node into `state`, and tells the run of that once it takes long: most nodes are up in less
   * time than the telling takes.
   */
  private async telling<T>(state: NodeState, step: () => Promise<T>): Promise<T> {
    if (!patched('told-when-it-takes-long')) {
      void this.tell({ state });
      return step();
    }
    let taken = false;
    void this.tellUnless(() => taken, state);
    try {
      return await step();
    } finally {
      taken = true;
    }
  }

  private async tellUnless(isOver: () => boolean, state: NodeState): Promise<void> {
    try {
      if (!(await condition(isOver, TELLING))) await this.tell({ state });
    } catch (error) {
      if (!wasCancelled(error)) throw error;
    }
  }

  private async supervise(): Promise<NodeOutcome> {
    const { site, computation, windows } = this.start;
    const { superviseNode } = proxyActivities<EdgeActivities>({
      ...options.supervising(this.queue, computation, windows),
      summary: `until the node of ${site.name} ends`,
    });
    return NodeOutcome.parse(await superviseNode({ ...this.ref(), node: this.node, computation }));
  }

  /** Stops the node, confirmed by the site. A node that had ended by itself before is what it then was. */
  private async stopNode(bringUp: CancellationScope): Promise<Ending> {
    const { computation, site } = this.start;
    bringUp.cancel();
    this.describe('stopping');
    const { stopNode } = proxyActivities<EdgeActivities>({
      ...options.stopping(this.queue, computation.deadlines.stopGrace),
      summary: `stop the node of ${site.name}`,
    });
    const grace = computation.deadlines.stopGrace;
    const { wasRunning } = UnknownStop.parse(await stopNode({ ...this.ref(), node: this.node, grace }));
    if (wasRunning) return { type: 'stopped' };
    await condition(() => this.ending !== undefined, LAST_WORD);
    return this.ending ?? { type: 'stopped' };
  }

  private async close(ending: Ending): Promise<void> {
    this.showStatus(ending.type === 'failed' ? ending.failed.state : ending.type);
    // A failure is told at once: it is the cause of what others report next.
    if (ending.type === 'failed') await this.tellError(ending.failed);
    const { releaseLaunch } = proxyActivities<EdgeActivities>({
      ...options.releasing(this.queue),
      summary: `remove what ${this.start.site.name} held for this launch`,
    });
    let released = false;
    const releasing = releaseLaunch(this.ref()).then(() => (released = true));
    await condition(() => released, CLEAN_UP_COURTESY);
    if (ending.type === 'complete')
      await this.tell({ state: 'complete', exitCode: 0, outputs: ending.outcome.outputs });
    if (ending.type === 'stopped') await this.tell({ state: 'stopped' });
    await releasing;
  }

  private ref() {
    return { runId: this.start.runId, launchId: this.start.launchId };
  }

  private runHandle() {
    return getExternalWorkflowHandle(this.start.runId);
  }

  private async tell(status: Omit<StatusSignal, 'launchId' | 'node'> & { state: NodeState }): Promise<void> {
    this.describe(status.state);
    const { launchId } = this.start;
    await forget(
      this.runHandle().signal(statusSignal, { launchId, node: this.node, ...status }),
      'the run has ended',
    );
  }

  private async tellError(failed: Omit<ErrorSignal, 'launchId'>): Promise<void> {
    this.describe(`${failed.state}: ${failed.error.type}: ${failed.error.message}`);
    const { launchId } = this.start;
    await forget(this.runHandle().signal(errorSignal, { launchId, ...failed }), 'the run has ended');
  }

  /** What the Temporal Web UI shows above the history. */
  private describe(what: string): void {
    setCurrentDetails(`**${this.start.site.name}**, launch ${this.start.launchId}: ${what}`);
  }

  private showStatus(state: NodeState): void {
    upsertSearchAttributes([{ key: MUSTER_STATUS, value: state }]);
  }
}
