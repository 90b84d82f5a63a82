/** A launch: one attempt at bringing a run's nodes up, watching them, and bringing everything down at its end. */
import {
  CancellationScope,
  CancelledFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import * as options from './activity-options';
import { CentralNode } from './central-node';
import { now } from './clock';
import {
  CENTRAL_NODE,
  ErrorSignal,
  Provisioned,
  PublishedKits,
  RetrySignal,
  StatusSignal,
  StopSignal,
  errorSignal,
  retrySignal,
  snapshotQuery,
  statusSignal,
  stopSignal,
  toMilliseconds,
  type CarriedRun,
  type CentralActivities,
  type Duration,
  type FederationEndpoint,
  type HostActivities,
  type Kit,
  type LaunchRef,
  type NodeError,
  type NodeView,
  type RunInput,
  type RunResult,
  type RunSnapshot,
  type RunState,
  type StoredResult,
} from './contract';
import { describeRun } from './describe';
import { failure, isWait } from './errors';
import { LONGEST_MESSAGE, nodeFailure, wasCancelled } from './failures';
import { nodeComputation, toConfirm, type LaunchContext } from './launch-context';
import { forget, onSignal } from './messages';
import { Reporter } from './reporter';
import {
  canRetry,
  errors,
  initialModel,
  isTerminalNode,
  launchOf,
  reduce,
  sites,
  verdict,
  type Fact,
  type RunModel,
  type Verdict,
} from './run-state';
import { SiteNodes, kitOf, newLaunchId, type Asked } from './site-nodes';

const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');
const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');

/** With so many events behind it, a run goes on in a new history. Temporal warns at 10,000, and ends a run at 50,000. */
const LONG_HISTORY = 4_000;
/** What is carried on has to fit into one payload, also for a thousand sites. */
const CARRIED_MESSAGE = 300;

/** What a launch begins with. */
interface LaunchParts {
  runId: string;
  input: RunInput;
  /** From then on nothing is learned or told any more: another launch takes over. */
  isSuperseded: () => boolean;
  cancelRequested: Promise<never> | undefined;
  /** Where it goes on from, if it is under way already. */
  carried: CarriedRun | undefined;
  /** The launch whose kits and place it takes over. */
  takesOver: Predecessor | undefined;
}

/** What a launch reads off its model. */
interface Reading {
  verdict: Verdict['type'];
  /** Of the sites that were told to start with the others. */
  allUp: boolean;
  /** When the first of the sites that were retried alone is to be up. */
  firstDue: number;
}

/** A launch that is followed by another one because someone asked for that. */
export interface Predecessor {
  launchId: string;
  hostQueue: string;
  asked: Asked;
  /** The requests to retry that were heard by then. */
  requests: ReadonlySet<string>;
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
  private readonly central: CentralNode;
  private readonly sites: SiteNodes;
  private readonly takesOver: Predecessor | undefined;
  /** What the launch that is to follow takes over, once someone asked for that. */
  private handsOver: Predecessor | undefined;
  /** The requests to retry that were heard. */
  private readonly requests: Set<string>;
  private cancelled = false;
  /** Nodes that missed a deadline and have not confirmed yet that they are down. */
  private readonly givenUp: Set<string>;
  /** What was read off the model last. */
  private reading: (Reading & { model: RunModel }) | undefined;
  /** Deadlines, once they are running. */
  private upBy: number | undefined;
  private endBy: number | undefined;

  constructor({ runId, input, isSuperseded, cancelRequested, carried, takesOver }: LaunchParts) {
    this.runId = runId;
    this.input = input;
    this.isSuperseded = isSuperseded;
    this.model = carried ? restoredModel(carried) : initialModel(runId, input, now());
    this.reporter = new Reporter(() => this.model, carried?.seq);
    this.launchId = carried?.launchId ?? '';
    this.placement = carried?.placement;
    const context: LaunchContext = {
      input,
      ref: () => ({ runId, launchId: this.launchId }),
      model: () => this.model,
      endpoint: () => endpointOf(this.placement),
      learn: (fact) => this.learn(fact),
    };
    this.central = new CentralNode(context);
    this.sites = new SiteNodes(context, new Set(carried?.signalled));
    this.takesOver = takesOver;
    this.requests = new Set(takesOver?.requests ?? requestsIn(this.model));
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
    onSignal(retrySignal, RetrySignal, (retry) => this.retry(retry));
    setHandler(snapshotQuery, (): RunSnapshot => ({
      run: this.model.run,
      nodes: [...this.model.nodes.values()],
    }));
    cancelRequested?.catch(() => {
      this.cancelled = true;
      this.learn({ type: 'stop', stop: { by: 'Temporal', reason: 'the workflow was cancelled' } });
    });
  }

  /** How the run ended, or what the launch that follows this one takes over from it. */
  async execute(): Promise<RunResult | Predecessor> {
    upsertSearchAttributes([{ key: MUSTER_CONSORTIUM, value: this.input.consortium.id }]);
    this.show();
    const isUnderWay = this.launchId !== '';
    if (!isUnderWay) {
      const launchId = newLaunchId();
      this.launchId = launchId;
      const asked = this.takesOver?.asked;
      this.learn({ type: 'launch', launchId, ...(asked && { retry: { ...asked, launchId, at: now() } }) });
    }
    this.describe().catch(() => undefined);
    const reporting = this.reporter.run();
    // Awaited below, unless another launch takes over before.
    reporting.catch(() => undefined);
    const results = await (isUnderWay ? this.goOn() : this.bringUpAndWatch());
    const predecessor = await (results ? this.finish('complete', results) : this.bringDown());
    if (predecessor) return predecessor;
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
      void this.central.supervise(this.placement.hostQueue);
    return this.watchAndCollect();
  }

  private async watchAndCollect(): Promise<StoredResult[] | undefined> {
    if (!this.over()) await this.watch();
    if (this.judge() !== 'complete') return undefined;
    return this.collect();
  }

  /** Steps 1 to 5 of a launch. */
  private async bringUp(): Promise<void> {
    const { endpoint, hostQueue } = await (this.takesOver ? this.takeOver(this.takesOver) : this.provision());
    this.placement = { hostQueue, ...endpoint };
    this.learn({ type: 'phase', state: 'publishing' });
    const kits = await this.publish(hostQueue);
    this.learn({ type: 'phase', state: 'launching' });
    await this.central.bringUp(hostQueue, endpoint.ports, kitOf(kits, CENTRAL_NODE));
    const { reportRunStartedCentral } = proxyActivities<CentralActivities>({
      ...options.reporting,
      summary: 'tell the central API that the central node is up',
    });
    const siteIds = this.input.sites.map(({ id }) => id);
    await reportRunStartedCentral({ ...this.ref(), endpoint, sites: siteIds, at: now() });
    await this.sites.bringUp(kits);
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

  /** In place of provisioning; it ends what is left of that launch. */
  private async takeOver({ launchId: from, hostQueue }: Predecessor): Promise<Provisioned> {
    const { takeOverLaunch } = proxyActivities<HostActivities>({
      ...options.transferring(hostQueue, this.input.windows),
      summary: `kits and ports of launch ${from}`,
    });
    const computation = nodeComputation(this.input);
    // Known before it is done: what a stop finds half-way is there, too.
    this.placement = { hostQueue, ports: [] };
    return Provisioned.parse(await takeOverLaunch({ ...this.ref(), from, computation }));
  }

  private async publish(hostQueue: string): Promise<Kit[]> {
    const { publishRunKits } = proxyActivities<HostActivities>({
      ...options.transferring(hostQueue, this.input.windows),
      summary: `${this.input.sites.length + 1} kits to the object store`,
    });
    const published = await publishRunKits({ ...this.ref(), sites: this.input.sites.map(({ id }) => id) });
    return PublishedKits.parse(published).kits;
  }

  /** Step 6: until the run has an end, or a deadline makes one. */
  private async watch(): Promise<void> {
    const { start, run } = this.input.computation.deadlines;
    if (this.endBy === undefined) {
      this.upBy ??= now() + toMilliseconds(start);
      const upInTime = await this.until(() => this.read().allUp || this.over(), this.upBy);
      if (!upInTime)
        this.missDeadline(`did not come up within ${start}`, (node) => !node.retry && !isUp(node));
      this.endBy = now() + toMilliseconds(run);
    }
    for (;;) {
      const due = Math.min(this.read().firstDue, this.endBy);
      const isDue = () => Math.min(this.read().firstDue, this.endBy ?? due) === due;
      const inTime = await this.until(() => this.over() || !isDue(), due);
      if (inTime && !this.over()) continue;
      if (!inTime) {
        if (due === this.endBy) this.missDeadline(`did not end within ${run}`, () => true);
        else this.missDeadline(`did not come up within ${start}`, (node) => isLate(node, start, due));
      }
      if (this.over()) return;
    }
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
    return (
      workflowInfo().historyLength > LONG_HISTORY &&
      !this.sites.isOrdering &&
      patched('long-histories-are-continued')
    );
  }

  private continueAnew(): Promise<never> {
    const { launchId, placement, upBy = now(), endBy, reporter } = this;
    const signalled = [...this.sites.signalled];
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
    if (launchId === launchOf(this.model, node)) this.givenUp.delete(node);
  }

  /**
   * Every node that has not ended, and is late, has missed a deadline. What it has become is settled by that; it is stopped
   * all the same, and the run does not end before that is confirmed.
   */
  private missDeadline(what: string, isLate: (node: NodeView) => boolean): void {
    for (const view of this.model.nodes.values()) {
      const { node, state, attention } = view;
      if (isTerminalNode(state) || !isLate(view)) continue;
      const wait = isWait(attention?.type) ? `: ${attention?.message ?? ''}` : '';
      // Of a site that never answered nothing is known.
      const as = state === 'waiting' && wait === '' ? 'lost' : 'failed';
      const error: NodeError = {
        node,
        phase: state,
        type: 'DeadlineExceeded',
        message: `${node} ${what}; it was ${state}${wait}`.slice(0, LONGEST_MESSAGE),
      };
      const launchId = launchOf(this.model, node) ?? this.launchId;
      this.learn({ type: 'error', failed: { launchId, error, state: as } });
      if (patched('late-nodes-are-stopped')) this.giveUp(node, error.message);
    }
  }

  private giveUp(node: string, reason: string): void {
    if (node === CENTRAL_NODE) this.givenUp.add(node);
    else if (this.sites.signalled.has(node)) {
      this.givenUp.add(node);
      this.sites.tellToStop(node, { by: 'Muster', reason: reason.slice(0, 500) });
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

  /**
   * Stops every node, confirmed by each, and only then ends the run. Where another launch is to follow, and nobody has said
   * stop, it ends nothing, and answers what that one takes over.
   */
  private async bringDown(): Promise<Predecessor | undefined> {
    const { handsOver } = this;
    const failed = !this.model.run.stop && !handsOver;
    this.learn({ type: 'bringDown' });
    const why = handsOver ? 'a new launch was asked for' : 'another node of the run failed';
    const { by = handsOver?.asked.by ?? 'Muster', reason = why } = this.model.run.stop ?? {};
    await Promise.all([this.stopCentral(), this.sites.stop({ by, reason })]);
    if (handsOver && !this.model.run.stop) return handsOver;
    return this.finish(failed ? 'failed' : 'stopped');
  }

  private stopCentral(): Promise<void> {
    const central = this.model.nodes.get(CENTRAL_NODE);
    const isDown = !central || (isTerminalNode(central.state) && !this.givenUp.delete(CENTRAL_NODE));
    return isDown ? Promise.resolve() : this.central.stop(this.placement?.hostQueue);
  }

  private async finish(
    state: 'complete' | 'failed' | 'stopped',
    results?: StoredResult[],
  ): Promise<undefined> {
    if (this.givenUp.size > 0) await condition(() => this.givenUp.size === 0, toConfirm(this.input));
    await this.release();
    this.learn({ type: 'end', state, ...(results && { results }) });
  }

  /** Frees what the launch holds on its central host. A host that is gone must not keep the run from ending. */
  private async release(): Promise<void> {
    if (!this.placement) return;
    const { releaseLaunch } = proxyActivities<HostActivities>({
      ...options.releasing(this.placement.hostQueue),
      scheduleToCloseTimeout: toConfirm(this.input),
      summary: 'remove containers, folders and ports of this launch',
    });
    const ref = this.ref();
    // What was not taken over of an older launch goes, too.
    const older = this.takesOver ? [{ ...ref, launchId: this.takesOver.launchId }] : [];
    const release = (launch: LaunchRef) =>
      forget(releaseLaunch(launch), 'the host removes what is left when it is back');
    await Promise.all([ref, ...older].map(release));
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

  /** Does as someone asked while the run is under way. What does not fit the run as it is now changes nothing. */
  private retry({ from, sites: which, request, ...asked }: RetrySignal): void {
    const { placement, model, launchId } = this;
    const isKnown = request !== undefined && this.requests.has(request);
    if (isKnown || !placement || this.over() || this.isSuperseded()) {
      log.info('a retry was asked for that cannot be now', { from, launchId, state: model.run.state });
      return;
    }
    if (request !== undefined) this.requests.add(request);
    const by: Asked = { ...asked, ...(request !== undefined && { request }) };
    if (from === 'sites') this.retrySites(which, by, placement.hostQueue);
    else if (HAS_KITS.includes(model.run.state))
      this.handsOver = { launchId, hostQueue: placement.hostQueue, asked: by, requests: this.requests };
  }

  private retrySites(which: readonly string[] | undefined, asked: Asked, hostQueue: string): void {
    if (!this.input.computation.failure.mayReturn) {
      log.info('no site is retried alone: the computation does not take it in', { which });
      return;
    }
    const siteIds = which ?? this.input.sites.map(({ id }) => id);
    const open = siteIds.filter((site) => canRetry(this.model, site));
    if (open.length > 0) void this.sites.retry(open, asked, hostQueue, () => this.judge() === 'wait');
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
    // Its site brings what it still has of the older node down before the new one.
    if (fact.type === 'retrySite') this.givenUp.delete(fact.node);
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

  private show(): void {
    upsertSearchAttributes([{ key: MUSTER_STATUS, value: this.model.run.state }]);
  }

  private judge(): Verdict['type'] {
    return this.read().verdict;
  }

  /** Asked many times of one model, and it looks at every site. */
  private read(): Reading {
    const { model, input } = this;
    if (this.reading?.model !== model) {
      const { failure: policy, deadlines } = input.computation;
      const all = sites(model);
      this.reading = {
        model,
        verdict: verdict(model, policy).type,
        allUp: all.every((node) => isUp(node) || node.retry !== undefined),
        firstDue: Math.min(...all.map((node) => dueOf(node, deadlines.start))),
      };
    }
    return this.reading;
  }

  private over(): boolean {
    return this.judge() !== 'wait' || this.handsOver !== undefined;
  }

  private ref(): LaunchRef {
    return { runId: this.runId, launchId: this.launchId };
  }
}

/** The kits of the launch are published, and not yet removed. */
const HAS_KITS: readonly RunState[] = ['launching', 'running'];

const isUp = ({ state }: NodeView) => state === 'running' || isTerminalNode(state);

/** When a node that was retried alone is to be up; endless where there is nothing to wait for. */
const dueOf = (node: NodeView, start: Duration) =>
  node.retry && !isUp(node) ? node.retry.at + toMilliseconds(start) : Infinity;

const isLate = (node: NodeView, start: Duration, at: number) => dueOf(node, start) <= at;

const requestsIn = ({ run, nodes }: RunModel) =>
  [run.retry, ...[...nodes.values()].map(({ retry }) => retry)].flatMap((retry) => retry?.request ?? []);

/** As much of a node as the run needs of it; the central API has been told the rest. */
function endpointOf(placement: CarriedRun['placement']): FederationEndpoint | undefined {
  if (placement?.host === undefined) return undefined;
  return { host: placement.host, ports: placement.ports };
}

function carriedNode({ outputs: _outputs, report: _report, error, ...node }: NodeView): NodeView {
  return { ...node, ...(error && { error: { ...error, message: error.message.slice(0, CARRIED_MESSAGE) } }) };
}

const restoredModel = ({ run, nodes }: CarriedRun): RunModel => ({
  run,
  nodes: new Map(nodes.map((node) => [node.node, node])),
});
