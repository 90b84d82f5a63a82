/**
 * A consortium on a real Temporal server whose hosts and sites do as a test says: the workflows are the real ones, the
 * activities are the test's. Every call is noted in the order in which it came.
 */
import { Context } from '@temporalio/activity';
import type { Worker } from '@temporalio/worker';
import { createSignalEdgeClients } from '../../activities/central/signal-edge-clients';
import {
  CENTRAL_NODE,
  CENTRAL_QUEUE,
  RUN_WORKFLOW,
  hostQueue,
  siteQueue,
  snapshotQuery,
  type CentralActivities,
  type EdgeActivities,
  type HostActivities,
  type Kit,
  type NodeOutcome,
  type NodeRef,
  type RunSnapshot,
  type StatusReport,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { TestTemporal } from './temporal';

const HOST = hostQueue('test');
const OUTCOME: NodeOutcome = { exitCode: 0, endedAt: 1, outputs: [{ name: 'result.json', size: 2 }] };
type Activity = keyof CentralActivities | keyof HostActivities | keyof EdgeActivities;

/** A node of the script: up until someone ends it. */
interface ScriptedNode {
  running: boolean;
  end(result: NodeOutcome | Error): void;
  ended: Promise<NodeOutcome>;
}

export class ScriptedConsortium {
  /** `activity node`, in the order of the calls. */
  readonly calls: string[] = [];
  readonly reports: StatusReport[] = [];
  /** By launch and node, in the order in which they were launched. */
  private readonly nodes = new Map<string, ScriptedNode>();
  private readonly sites = new Map<string, Worker>();
  private readonly watched = new Set<string>();
  private readonly script = new Map<string, () => Promise<void>>();
  private speaksForSites = false;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly temporal: TestTemporal,
    readonly siteIds: readonly string[],
  ) {}

  /** No site has a workflow of its own: the test says what they say. */
  speakForSites(): this {
    this.speaksForSites = true;
    return this;
  }

  /** What happens in `activity` of `node` before it does what it is for: throw, or wait. */
  on(activity: Activity, node: string, before: () => Promise<void>): this {
    this.script.set(`${activity} ${node}`, before);
    return this;
  }

  /** Starts workers for the central side and for `online` sites. */
  async open(online: readonly string[] = this.siteIds): Promise<this> {
    const { startWorker, workflowBundle } = {
      startWorker: this.temporal.startWorker.bind(this.temporal),
      workflowBundle: this.temporal.workflowBundle,
    };
    await startWorker({ taskQueue: CENTRAL_QUEUE, workflowBundle, activities: this.central() });
    await startWorker({ taskQueue: HOST, activities: this.host() });
    for (const site of online) {
      const activities = this.edge(site);
      this.sites.set(site, await startWorker({ taskQueue: siteQueue(site), activities }));
    }
    return this;
  }

  /** Takes a site's worker away: what it was doing, the server gives to the next one that comes. */
  async goAway(site: string): Promise<void> {
    const worker = this.sites.get(site);
    if (worker) await this.temporal.stopWorkers(worker);
  }

  start(runId: string, input: unknown) {
    return this.temporal.client.workflow.start(RUN_WORKFLOW, {
      workflowId: runId,
      taskQueue: CENTRAL_QUEUE,
      args: [input],
    });
  }

  async snapshot(runId: string): Promise<RunSnapshot> {
    return this.temporal.client.workflow.getHandle(runId).query(snapshotQuery);
  }

  /** Resolves once `call` has been made `times`. */
  async called(call: string, times = 1): Promise<void> {
    while (this.calls.filter((made) => made === call).length < times) await this.nextCall();
  }

  /** Ends the node that was launched last under this name, as its own process would. */
  async end(node: string, result: NodeOutcome | Error = OUTCOME): Promise<void> {
    await this.called(`superviseNode ${node}`);
    this.latest(node)?.end(result);
  }

  /** Ends a launch's node, once it is watched. */
  async endOf(launchId: string, node: string): Promise<void> {
    while (!this.watched.has(`${launchId} ${node}`)) await this.nextCall();
    this.nodes.get(`${launchId} ${node}`)?.end(OUTCOME);
  }

  isRunning(node: string): boolean {
    return this.latest(node)?.running ?? false;
  }

  private latest(node: string): ScriptedNode | undefined {
    return [...this.nodes].filter(([key]) => key.endsWith(` ${node}`)).at(-1)?.[1];
  }

  private nodeOf({ launchId, node: name }: Pick<NodeRef, 'launchId' | 'node'>): ScriptedNode {
    const key = `${launchId} ${name}`;
    const known = this.nodes.get(key);
    if (known) return known;
    let end: ScriptedNode['end'] = () => undefined;
    const ended = new Promise<NodeOutcome>((resolve, reject) => {
      end = (result) => {
        node.running = false;
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
    });
    ended.catch(() => undefined);
    const node: ScriptedNode = { running: true, end: (result) => end(result), ended };
    this.nodes.set(key, node);
    return node;
  }

  private nextCall(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private async note(activity: Activity, node: string): Promise<void> {
    this.calls.push(`${activity} ${node}`);
    for (const wake of this.waiters.splice(0)) wake();
    await this.script.get(`${activity} ${node}`)?.();
  }

  private central(): CentralActivities {
    const signalEdgeClients = createSignalEdgeClients(this.temporal.client);
    return {
      provisionProject: async () => {
        await this.note('provisionProject', CENTRAL_NODE);
        return { hostQueue: HOST, endpoint: { host: 'localhost', ports: [20_000] } };
      },
      reportRunStartedCentral: () => this.note('reportRunStartedCentral', CENTRAL_NODE),
      reportStatusCentral: async (report) => {
        this.reports.push(report);
        await this.script.get('reportStatusCentral central')?.();
      },
      signalEdgeClients: async (input) => {
        await this.note('signalEdgeClients', CENTRAL_NODE);
        if (!this.speaksForSites) await signalEdgeClients(input);
      },
      resolveImage: ({ image }) => Promise.resolve({ digest: `${image}@sha256:1`, labels: {} }),
    };
  }

  private shared() {
    return {
      superviseNode: async (ref: NodeRef) => {
        this.watched.add(`${ref.launchId} ${ref.node}`);
        await this.note('superviseNode', ref.node);
        // A worker that shuts down must not wait for a node that nobody ends.
        return Promise.race([this.nodeOf(ref).ended, Context.current().cancelled]);
      },
      stopNode: async ({ launchId, node }: NodeRef) => {
        await this.note('stopNode', node);
        const known = this.nodes.get(`${launchId} ${node}`);
        const wasRunning = known?.running ?? false;
        known?.end(failure('NodeExited', 'The node exited with code 143 (SIGTERM).'));
        return { wasRunning, forced: false };
      },
    };
  }

  private host(): HostActivities {
    return {
      ...this.shared(),
      publishRunKits: async ({ runId, launchId, sites }) => {
        await this.note('publishRunKits', CENTRAL_NODE);
        return { kits: [CENTRAL_NODE, ...sites].map((node) => kitOf(runId, launchId, node)) };
      },
      takeOverLaunch: async () => {
        await this.note('takeOverLaunch', CENTRAL_NODE);
        return { hostQueue: HOST, endpoint: { host: 'localhost', ports: [20_000] } };
      },
      handOnKits: async ({ runId, to }) => {
        await this.note('handOnKits', CENTRAL_NODE);
        return { kits: to.map(({ site, launchId }) => kitOf(runId, launchId, site)) };
      },
      launchCentralNode: (launch) => this.launch('launchCentralNode', { ...launch, node: CENTRAL_NODE }),
      collectResults: async () => {
        await this.note('collectResults', CENTRAL_NODE);
        return [{ name: 'result.json', size: 2, key: 'k', sha256: '1'.repeat(64) }];
      },
      releaseLaunch: () => this.note('releaseLaunch', CENTRAL_NODE),
    };
  }

  private edge(site: string): EdgeActivities {
    return {
      ...this.shared(),
      fetchRunKit: () => this.note('fetchRunKit', site),
      launchEdgeNode: (launch) => this.launch('launchEdgeNode', { ...launch, node: site }),
      releaseLaunch: () => this.note('releaseLaunch', site),
    };
  }

  private async launch(activity: Activity, ref: NodeRef) {
    await this.note(activity, ref.node);
    this.nodeOf(ref);
    return { runtime: 'process' as const, containerId: `pid-${ref.node}`, startedAt: 1 };
  }
}

const kitOf = (runId: string, launchId: string, node: string): Kit => ({
  node,
  key: `runs/${runId}/${launchId}/${node}`,
  sha256: '0'.repeat(64),
  size: 1,
});
