/**
 * RunWorkflow: one run from Start Run to its last report. It keeps the run's state (run-state.ts), takes the steps in
 * order, and brings everything down when a person, the failure policy or a deadline says so.
 */
import {
  CancellationScope,
  CancelledFailure,
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import * as options from './activity-options';
import { now } from './clock';
import {
  CENTRAL_NODE,
  ErrorSignal,
  LaunchedNode,
  NodeOutcome,
  Provisioned,
  PublishedKits,
  RunId,
  RunInput,
  StatusSignal,
  StopSignal,
  StoppedNode,
  edgeRunWorkflowId,
  errorSignal,
  snapshotQuery,
  statusSignal,
  stopSignal,
  toMilliseconds,
  type CentralActivities,
  type EdgeClientStartRun,
  type HostActivities,
  type Kit,
  type LaunchRef,
  type NodeComputation,
  type NodeError,
  type RunResult,
  type RunSnapshot,
  type StoredResult,
} from './contract';
import { describeRun } from './describe';
import { failure } from './errors';
import { nodeFailure, wasCancelled } from './failures';
import { forget, onSignal, problems } from './messages';
import { Reporter } from './reporter';
import { watchForReset } from './reset';
import {
  errors,
  initialModel,
  isTerminalNode,
  reduce,
  sites,
  verdict,
  type Fact,
  type RunModel,
} from './run-state';

const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');
const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');

/** Sites signalled by one activity: small enough to be retried as a whole, large enough for a thousand sites. */
const SITES_PER_BATCH = 100;

/** The run's input is its only argument; its id is the workflow id. */
export async function RunWorkflow(raw: unknown): Promise<RunResult> {
  const runId = RunId.safeParse(workflowInfo().workflowId);
  if (!runId.success)
    throw failure('InvalidRunInput', `the workflow id is the run id: ${problems(runId.error)}`);
  const input = RunInput.safeParse(raw);
  if (!input.success) throw failure('InvalidRunInput', problems(input.error));
  // A request to cancel is a request to stop: the run ends as cancelled, but only after everything of it is down.
  const asked = CancellationScope.current();
  return CancellationScope.nonCancellable(() => launchUntilDone(runId.data, input.data, asked));
}

/** One launch, and another one whenever the run is reset: wherever that was, what was there before is not gone on with. */
async function launchUntilDone(runId: string, input: RunInput, asked: CancellationScope): Promise<RunResult> {
  for (;;) {
    const wasReset = watchForReset();
    const scope = new CancellationScope({ cancellable: true });
    // A run is cancelled once; that concerned the launch that there was then.
    const run = new Run(
      runId,
      input,
      wasReset,
      asked.consideredCancelled ? undefined : asked.cancelRequested,
    );
    const ended = scope.run(() => run.execute());
    ended.catch(() => undefined);
    await Promise.race([ended.catch(() => undefined), condition(wasReset)]);
    if (!wasReset() || !patched('a-reset-launches-anew')) return ended;
    // Its nodes are ended by the steps of the launch that follows.
    scope.cancel();
  }
}

/** Where a launch's nodes are, once that is known. */
interface Placement {
  hostQueue: string;
  ports: number[];
}

class Run {
  private model: RunModel;
  private readonly reporter: Reporter;
  private launchId = '';
  private placement: Placement | undefined;
  private signalled: string[] = [];
  private cancelled = false;
  private centralEnd: Fact | undefined;
  /** Nodes that missed a deadline and have not confirmed yet that they are down. */
  private readonly givenUp = new Set<string>();

  constructor(
    private readonly runId: string,
    private readonly input: RunInput,
    /** From then on nothing is learned or told any more: another launch takes over. */
    private readonly isSuperseded: () => boolean,
    cancelRequested: Promise<never> | undefined,
  ) {
    this.model = initialModel(runId, input, now());
    this.reporter = new Reporter(() => this.model);
    onSignal(statusSignal, StatusSignal, (status) => {
      if (status.state && isTerminalNode(status.state)) this.heardTheEnd(status);
      this.learn({ type: 'status', status });
    });
    onSignal(errorSignal, ErrorSignal, (failed) => {
      this.heardTheEnd({ launchId: failed.launchId, node: failed.error.node });
      this.learn({ type: 'error', failed });
    });
    onSignal(stopSignal, StopSignal, (stop) => this.learn({ type: 'stop', stop }));
    setHandler(snapshotQuery, (): RunSnapshot => ({
      run: this.model.run,
      nodes: [...this.model.nodes.values()],
    }));
    cancelRequested?.catch(() => {
      this.cancelled = true;
      this.learn({ type: 'stop', stop: { by: 'Temporal', reason: 'the workflow was cancelled' } });
    });
  }

  async execute(): Promise<RunResult> {
    upsertSearchAttributes([{ key: MUSTER_CONSORTIUM, value: this.input.consortium.id }]);
    this.show();
    this.launchId = uuid4().replaceAll('-', '').slice(0, 12);
    this.learn({ type: 'launch', launchId: this.launchId });
    const reporting = this.reporter.run();
    // Awaited below, unless another launch takes over before.
    reporting.catch(() => undefined);
    const results = await this.bringUpAndWatch();
    if (results) await this.finish('complete', results);
    else await this.bringDown();
    this.reporter.close();
    await reporting;
    await condition(allHandlersFinished);
    return this.result();
  }

  /** The results of a run that completed; `undefined` when it is to be brought down. */
  private async bringUpAndWatch(): Promise<StoredResult[] | undefined> {
    const bringUp = new CancellationScope();
    const steps = bringUp.run(() => this.bringUp()).catch((error: unknown) => this.stepFailed(error));
    await Promise.race([steps, condition(() => this.over())]);
    // Of no effect where the steps have been taken; else the run is over before it is up.
    bringUp.cancel();
    await steps;
    if (!this.over()) await this.watch();
    if (this.judge() !== 'complete') return undefined;
    return this.collect();
  }

  /** Steps 1 to 5 of a launch. */
  private async bringUp(): Promise<void> {
    const { endpoint, hostQueue } = await this.provision();
    this.placement = { hostQueue, ports: endpoint.ports };
    this.learn({ type: 'phase', state: 'publishing' });
    const kits = await this.publish(hostQueue);
    this.learn({ type: 'phase', state: 'launching' });
    await this.launchCentral(hostQueue, endpoint.ports, this.kitOf(kits, CENTRAL_NODE));
    const { reportRunStartedCentral } = proxyActivities<CentralActivities>({
      ...options.reporting,
      summary: 'tell the central API that the central node is up',
    });
    const siteIds = this.input.sites.map(({ id }) => id);
    await reportRunStartedCentral({ ...this.ref(), endpoint, sites: siteIds, at: now() });
    await this.signalEdges(kits);
    this.learn({ type: 'phase', state: 'running' });
  }

  private async provision(): Promise<Provisioned> {
    const { computation, parameters, sites, windows } = this.input;
    const { provisionProject } = proxyActivities<CentralActivities>({
      ...options.provisioning(computation, windows),
      summary: `${computation.name} ${computation.version} for ${sites.length} sites`,
    });
    return Provisioned.parse(await provisionProject({ ...this.ref(), computation, parameters, sites }));
  }

  private async publish(hostQueue: string): Promise<Kit[]> {
    const { publishRunKits } = proxyActivities<HostActivities>({
      ...options.transferring(hostQueue, this.input.windows),
      summary: `${this.input.sites.length + 1} kits to the object store`,
    });
    const published = await publishRunKits({ ...this.ref(), sites: this.input.sites.map(({ id }) => id) });
    return PublishedKits.parse(published).kits;
  }

  private async launchCentral(hostQueue: string, ports: number[], kit: Kit): Promise<void> {
    const { launchCentralNode } = proxyActivities<HostActivities>({
      ...options.launching(hostQueue, this.input.windows),
      summary: `central node on ${hostQueue}`,
    });
    this.learnOfCentral({ state: 'launching' });
    const computation = this.nodeComputation();
    const launched = await launchCentralNode({ ...this.ref(), computation, kit, ports });
    const { runtime, containerId } = LaunchedNode.parse(launched);
    this.learnOfCentral({ state: 'running', runtime, containerId });
    void this.superviseCentral(hostQueue);
  }

  /** Runs beside everything else until the central node ends; what it said of its end is kept for {@link stopCentral}. */
  private async superviseCentral(hostQueue: string): Promise<void> {
    const { superviseNode } = proxyActivities<HostActivities>({
      ...options.supervising(hostQueue, this.input.computation, this.input.windows),
      summary: 'until the central node ends',
    });
    const ref = { ...this.ref(), node: CENTRAL_NODE };
    try {
      const computation = this.nodeComputation();
      // Not cancelled with the steps: the node's own account of its end is the truth also when it is being stopped.
      const outcome = await CancellationScope.nonCancellable(() => superviseNode({ ...ref, computation }));
      const { outputs } = NodeOutcome.parse(outcome);
      const status: StatusSignal = {
        launchId: this.launchId,
        node: CENTRAL_NODE,
        state: 'complete',
        exitCode: 0,
        outputs,
      };
      this.centralEnd = { type: 'status', status };
    } catch (error) {
      const failed = nodeFailure(CENTRAL_NODE, error, 'the central worker did not answer');
      this.centralEnd = { type: 'error', failed: { launchId: this.launchId, ...failed } };
    }
    // While it is being stopped, an exit is what was asked for.
    if (this.model.run.state !== 'stopping') this.learn(this.centralEnd);
  }

  private async signalEdges(kits: Kit[]): Promise<void> {
    const { consortium, sites, windows } = this.input;
    const computation = this.nodeComputation();
    const starts = sites.map((site): EdgeClientStartRun => ({
      ...this.ref(),
      consortium,
      site,
      computation,
      kit: this.kitOf(kits, site.id),
      windows,
    }));
    for (let first = 0; first < starts.length; first += SITES_PER_BATCH) {
      const batch = starts.slice(first, first + SITES_PER_BATCH);
      const { signalEdgeClients } = proxyActivities<CentralActivities>({
        ...options.reporting,
        summary: `EdgeClientStartRun to ${batch.length} sites`,
      });
      // Counted before it is known to have arrived: a site that may have been told to start is told to stop.
      this.signalled.push(...batch.map(({ site }) => site.id));
      await signalEdgeClients({ starts: batch });
    }
  }

  /** Step 6: until the run has an end, or a deadline makes one. */
  private async watch(): Promise<void> {
    const { start, run } = this.input.computation.deadlines;
    const everySiteUp = () =>
      sites(this.model).every(({ state }) => state === 'running' || isTerminalNode(state));
    const upInTime = await condition(() => everySiteUp() || this.over(), toMilliseconds(start));
    if (!upInTime) this.missDeadline(`did not come up within ${start}`, ['running']);
    const endedInTime = await condition(() => this.over(), toMilliseconds(run));
    if (!endedInTime) this.missDeadline(`did not end within ${run}`, []);
  }

  private heardTheEnd({ launchId, node }: Pick<StatusSignal, 'launchId' | 'node'>): void {
    if (launchId === this.launchId) this.givenUp.delete(node);
  }

  /**
   * Every node that has neither ended nor reached one of the states in `fine` has missed a deadline. What it has become is
   * settled by that; it is stopped all the same, and the run does not end before that is confirmed.
   */
  private missDeadline(what: string, fine: readonly string[]): void {
    for (const { node, state } of this.model.nodes.values()) {
      if (isTerminalNode(state) || fine.includes(state)) continue;
      // Of a site that never answered nothing is known.
      const as = state === 'waiting' ? 'lost' : 'failed';
      const error: NodeError = {
        node,
        phase: state,
        type: 'DeadlineExceeded',
        message: `${node} ${what}; it was ${state}`,
      };
      this.learn({ type: 'error', failed: { launchId: this.launchId, error, state: as } });
      if (patched('late-nodes-are-stopped')) this.giveUp(node, error.message);
    }
  }

  private giveUp(node: string, reason: string): void {
    if (node === CENTRAL_NODE) this.givenUp.add(node);
    else if (this.signalled.includes(node)) {
      this.givenUp.add(node);
      this.tellToStop(node, { by: 'Muster', reason: reason.slice(0, 500), launchId: this.launchId });
    }
  }

  /** Step 7 of a run that completed: the central results to the object store. */
  private async collect(): Promise<StoredResult[] | undefined> {
    if (!this.placement) return [];
    const { collectResults } = proxyActivities<HostActivities>({
      ...options.transferring(this.placement.hostQueue, this.input.windows),
      summary: 'central results to the object store',
    });
    try {
      return await collectResults({ ...this.ref(), node: CENTRAL_NODE });
    } catch (error) {
      this.stepFailed(error);
      return undefined;
    }
  }

  /** Stops every node, confirmed by each, and only then ends the run. */
  private async bringDown(): Promise<void> {
    const failed = this.model.run.stop === undefined;
    this.learn({ type: 'bringDown' });
    const stop: StopSignal = {
      by: this.model.run.stop?.by ?? 'Muster',
      reason: this.model.run.stop?.reason ?? 'another node of the run failed',
      launchId: this.launchId,
    };
    await Promise.all([this.stopCentral(), this.stopSites(stop)]);
    await this.finish(failed ? 'failed' : 'stopped');
  }

  private async stopCentral(): Promise<void> {
    const central = this.model.nodes.get(CENTRAL_NODE);
    if (!central || (isTerminalNode(central.state) && !this.givenUp.delete(CENTRAL_NODE))) return;
    if (this.placement) await this.stopCentralAt(this.placement);
    this.learnOfCentral({ state: 'stopped' });
  }

  private async stopCentralAt({ hostQueue }: Placement): Promise<void> {
    const grace = this.input.computation.deadlines.stopGrace;
    const { stopNode } = proxyActivities<HostActivities>({
      ...options.stopping(hostQueue, grace),
      scheduleToCloseTimeout: this.confirmWithin(),
      summary: 'stop the central node',
    });
    try {
      const { wasRunning } = StoppedNode.parse(await stopNode({ ...this.ref(), node: CENTRAL_NODE, grace }));
      // It had ended by itself: how is known to whoever supervised it.
      if (!wasRunning && this.centralEnd) this.learn(this.centralEnd);
    } catch (error) {
      log.error('central node: stop not confirmed', { error: String(error) });
      this.unconfirmed(CENTRAL_NODE);
    }
  }

  private async stopSites(stop: StopSignal): Promise<void> {
    const open = () => sites(this.model).filter(({ state }) => !isTerminalNode(state));
    for (const { node } of open()) {
      if (!this.signalled.includes(node))
        this.learn({ type: 'status', status: { launchId: this.launchId, node, state: 'stopped' } });
      else this.tellToStop(node, stop);
    }
    await condition(() => open().length === 0, this.confirmWithin());
    for (const { node } of open()) this.unconfirmed(node);
  }

  private tellToStop(siteId: string, stop: StopSignal): void {
    void forget(this.edge(siteId).signal(stopSignal, stop), 'the part of the run at this site has ended');
  }

  /** Milliseconds from asking a node to stop until it counts as lost. */
  private confirmWithin(): number {
    return (
      toMilliseconds(this.input.computation.deadlines.stopGrace) +
      toMilliseconds(this.input.windows.stopConfirm)
    );
  }

  private unconfirmed(node: string): void {
    const error: NodeError = {
      node,
      phase: 'stopping',
      type: 'StopUnconfirmed',
      message: `${node} did not confirm that its node stopped; it is told again as soon as it answers`,
    };
    this.learn({ type: 'error', failed: { launchId: this.launchId, error, state: 'lost' } });
  }

  private async finish(state: 'complete' | 'failed' | 'stopped', results?: StoredResult[]): Promise<void> {
    if (this.givenUp.size > 0) await condition(() => this.givenUp.size === 0, this.confirmWithin());
    await this.release();
    this.learn({ type: 'end', state, ...(results && { results }) });
  }

  /** Frees what the launch holds on its central host. A host that is gone must not keep the run from ending. */
  private async release(): Promise<void> {
    if (!this.placement) return;
    const { releaseLaunch } = proxyActivities<HostActivities>({
      ...options.releasing(this.placement.hostQueue),
      scheduleToCloseTimeout: this.confirmWithin(),
      summary: 'remove containers, folders and ports of this launch',
    });
    await forget(releaseLaunch(this.ref()), 'the host removes what is left when it is back');
  }

  private result(): RunResult {
    const { state, error, results = [] } = this.model.run;
    if (this.cancelled) throw new CancelledFailure('the run was cancelled; every node was stopped');
    if (state === 'failed') {
      const { node, type, message } = error ?? {
        node: CENTRAL_NODE,
        type: 'RunFailed',
        message: 'the run failed',
      };
      throw failure('RunFailed', `${node}: ${type}: ${message}`, errors(this.model));
    }
    return {
      runId: this.runId,
      launchId: this.launchId,
      status: state === 'complete' ? 'complete' : 'stopped',
      results,
    };
  }

  /** A step of the run failed: the run has, and so has the central node where it was being launched. */
  private stepFailed(error: unknown): void {
    if (wasCancelled(error)) return;
    const failed = nodeFailure(CENTRAL_NODE, error, 'no central worker took the step');
    this.learn({ type: 'runError', error: failed.error });
    const launching = this.model.nodes.get(CENTRAL_NODE)?.state === 'launching';
    if (launching) this.learn({ type: 'error', failed: { launchId: this.launchId, ...failed } });
  }

  /** Takes in a fact: the new state is kept, shown and reported. */
  private learn(fact: Fact): void {
    if (this.isSuperseded()) return;
    const before = this.model;
    this.model = reduce(before, fact, now());
    if (this.model === before) {
      log.info('nothing changed by a fact', { runId: this.runId, launchId: this.launchId, fact: fact.type });
      return;
    }
    this.reporter.changed(before, this.model);
    if (this.model.run.state !== before.run.state) this.show();
    setCurrentDetails(describeRun(this.model));
  }

  private learnOfCentral(status: Omit<StatusSignal, 'launchId' | 'node'>): void {
    this.learn({ type: 'status', status: { launchId: this.launchId, node: CENTRAL_NODE, ...status } });
  }

  private show(): void {
    upsertSearchAttributes([{ key: MUSTER_STATUS, value: this.model.run.state }]);
  }

  private judge() {
    return verdict(this.model, this.input.computation.failure).type;
  }

  private over(): boolean {
    return this.judge() !== 'wait';
  }

  private ref(): LaunchRef {
    return { runId: this.runId, launchId: this.launchId };
  }

  private edge(siteId: string) {
    return getExternalWorkflowHandle(edgeRunWorkflowId(this.runId, siteId));
  }

  private nodeComputation(): NodeComputation {
    const { parameters: _parameters, provisionInput: _input, ...rest } = this.input.computation;
    return rest;
  }

  private kitOf(kits: Kit[], node: string): Kit {
    const kit = kits.find((candidate) => candidate.node === node);
    if (!kit) throw failure('ProvisionFailed', `no kit was published for ${node}`);
    return kit;
  }
}
