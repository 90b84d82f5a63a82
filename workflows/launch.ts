/** A launch: one attempt at bringing a run's nodes up, watching them, and bringing everything down at its end. */
import {
  CancellationScope,
  CancelledFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
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
  StatusSignal,
  StopSignal,
  StoppedNode,
  edgeRunWorkflowId,
  errorSignal,
  snapshotQuery,
  statusSignal,
  stopSignal,
  toMilliseconds,
  type CarriedRun,
  type CentralActivities,
  type EdgeClientStartRun,
  type HostActivities,
  type Kit,
  type LaunchRef,
  type NodeComputation,
  type NodeError,
  type NodeView,
  type RunInput,
  type RunResult,
  type RunSnapshot,
  type StoredResult,
} from './contract';
import { describeRun } from './describe';
import { failure } from './errors';
import { nodeFailure, wasCancelled } from './failures';
import { forget, onSignal } from './messages';
import { Reporter } from './reporter';
import {
  errors,
  initialModel,
  isTerminalNode,
  reduce,
  sites,
  verdict,
  type Fact,
  type RunModel,
  type Verdict,
} from './run-state';

const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');
const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');

/** With so many events behind it, a run goes on in a new history. Temporal warns at 10,000, and ends a run at 50,000. */
const LONG_HISTORY = 4_000;
/** What is carried on has to fit into one payload, also for a thousand sites. */
const CARRIED_MESSAGE = 300;
/** Sites signalled by one activity: small enough to be retried as a whole, large enough for a thousand sites. */
const SITES_PER_BATCH = 100;

/** What a launch begins with. */
interface LaunchParts {
  runId: string;
  input: RunInput;
  /** From then on nothing is learned or told any more: another launch takes over. */
  isSuperseded: () => boolean;
  cancelRequested: Promise<never> | undefined;
  /** Where it goes on from, if it is under way already. */
  carried: CarriedRun | undefined;
}

/** One launch of a run: it keeps the run's state (run-state.ts) and takes the steps in order, up, and down again. */
export class Launch {
  private readonly runId: string;
  private readonly input: RunInput;
  private readonly isSuperseded: () => boolean;
  private model: RunModel;
  private readonly reporter: Reporter;
  private launchId: string;
  /** Where its nodes are, once that is known. */
  private placement: CarriedRun['placement'];
  private readonly signalled: string[];
  private cancelled = false;
  private centralEnd: Fact | undefined;
  /** Nodes that missed a deadline and have not confirmed yet that they are down. */
  private readonly givenUp: Set<string>;
  /** The verdict that was read off last. */
  private judged: { model: RunModel; type: Verdict['type'] } | undefined;
  /** Deadlines, once they are running. */
  private upBy: number | undefined;
  private endBy: number | undefined;

  constructor({ runId, input, isSuperseded, cancelRequested, carried }: LaunchParts) {
    this.runId = runId;
    this.input = input;
    this.isSuperseded = isSuperseded;
    this.model = carried ? restoredModel(carried) : initialModel(runId, input, now());
    this.reporter = new Reporter(() => this.model, carried?.seq);
    this.launchId = carried?.launchId ?? '';
    this.placement = carried?.placement;
    this.signalled = [...(carried?.signalled ?? [])];
    this.givenUp = new Set(carried?.givenUp);
    this.upBy = carried?.upBy;
    this.endBy = carried?.endBy;
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
    const isUnderWay = this.launchId !== '';
    if (!isUnderWay) {
      this.launchId = uuid4().replaceAll('-', '').slice(0, 12);
      this.learn({ type: 'launch', launchId: this.launchId });
    }
    this.describe().catch(() => undefined);
    const reporting = this.reporter.run();
    // Awaited below, unless another launch takes over before.
    reporting.catch(() => undefined);
    const results = await (isUnderWay ? this.goOn() : this.bringUpAndWatch());
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
    return this.watchAndCollect();
  }

  /** The same of a launch that was brought up before. */
  private goOn(): Promise<StoredResult[] | undefined> {
    const central = this.model.nodes.get(CENTRAL_NODE);
    if (this.placement && central && !isTerminalNode(central.state))
      void this.superviseCentral(this.placement.hostQueue);
    return this.watchAndCollect();
  }

  private async watchAndCollect(): Promise<StoredResult[] | undefined> {
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
    if (this.endBy === undefined) {
      this.upBy ??= now() + toMilliseconds(start);
      const upInTime = await this.until(() => this.isUp() || this.over(), this.upBy);
      if (!upInTime) this.missDeadline(`did not come up within ${start}`, ['running']);
      this.endBy = now() + toMilliseconds(run);
    }
    const endedInTime = await this.until(() => this.over(), this.endBy);
    if (!endedInTime) this.missDeadline(`did not end within ${run}`, []);
  }

  private isUp(): boolean {
    for (const { node, state } of this.model.nodes.values())
      if (node !== CENTRAL_NODE && state !== 'running' && !isTerminalNode(state)) return false;
    return true;
  }

  /** Answers whether `holds` came to hold before the moment `by`, in however many histories. */
  private async until(holds: () => boolean, by: number): Promise<boolean> {
    for (;;) {
      const inTime = await condition(() => holds() || this.isLong(), by - now());
      if (!inTime || holds()) return inTime;
      // What comes in before that is taken in here, and what comes later there.
      await condition(() => holds() || this.reporter.isUpToDate());
      if (!holds()) await this.continueAnew();
    }
  }

  private isLong(): boolean {
    return workflowInfo().historyLength > LONG_HISTORY && patched('long-histories-are-continued');
  }

  private continueAnew(): Promise<never> {
    const { launchId, placement, signalled, upBy = now(), endBy, reporter } = this;
    const carried: CarriedRun = {
      ...{ launchId, signalled, upBy, givenUp: [...this.givenUp], run: this.model.run },
      nodes: [...this.model.nodes.values()].map(carriedNode),
      seq: reporter.last,
      ...(placement && { placement }),
      ...(endBy !== undefined && { endBy }),
    };
    return continueAsNew<(input: unknown, carried: unknown) => Promise<RunResult>>(this.input, carried);
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

  private async stopCentralAt({ hostQueue }: NonNullable<CarriedRun['placement']>): Promise<void> {
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
    if (state !== 'complete' && state !== 'stopped') {
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
      status: state,
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
  }

  /** Keeps what the Web UI shows above the history; once for all that is learned at a time. */
  private async describe(): Promise<void> {
    for (let described: RunModel | undefined; ;) {
      await condition(() => described !== this.model);
      described = this.model;
      setCurrentDetails(describeRun(described));
    }
  }

  private learnOfCentral(status: Omit<StatusSignal, 'launchId' | 'node'>): void {
    this.learn({ type: 'status', status: { launchId: this.launchId, node: CENTRAL_NODE, ...status } });
  }

  private show(): void {
    upsertSearchAttributes([{ key: MUSTER_STATUS, value: this.model.run.state }]);
  }

  /** Asked many times of one model, and it looks at every site. */
  private judge(): Verdict['type'] {
    if (this.judged?.model !== this.model) {
      const { type } = verdict(this.model, this.input.computation.failure);
      this.judged = { model: this.model, type };
    }
    return this.judged.type;
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

/** As much of a node as the run needs of it; the central API has been told the rest. */
function carriedNode({ outputs: _outputs, report: _report, error, ...node }: NodeView): NodeView {
  return { ...node, ...(error && { error: { ...error, message: error.message.slice(0, CARRIED_MESSAGE) } }) };
}

const restoredModel = ({ run, nodes }: CarriedRun): RunModel => ({
  run,
  nodes: new Map(nodes.map((node) => [node.node, node])),
});
