/** The nodes of a launch at its sites: told to start, told to stop, and told to begin anew. */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  uuid4,
} from '@temporalio/workflow';
import * as options from './activity-options';
import { now } from './clock';
import {
  PublishedKits,
  edgeRunWorkflowId,
  stopSignal,
  type CentralActivities,
  type EdgeClientStartRun,
  type HostActivities,
  type Kit,
  type Retry,
  type StopSignal,
} from './contract';
import { failure } from './errors';
import { nodeComputation, toConfirm, unconfirmed, type LaunchContext } from './launch-context';
import { forget } from './messages';
import { canRetry, isTerminalNode, launchOf, sites } from './run-state';

/** Sites signalled by one activity: small enough to be retried as a whole, large enough for a thousand sites. */
const SITES_PER_BATCH = 100;

export const newLaunchId = () => uuid4().replaceAll('-', '').slice(0, 12);

export function kitOf(kits: readonly Kit[], node: string): Kit {
  const kit = kits.find((candidate) => candidate.node === node);
  if (!kit) throw failure('ProvisionFailed', `no kit was published for ${node}`);
  return kit;
}

/** Who wants nodes to begin anew, and why. */
export type Asked = Omit<Retry, 'launchId' | 'at'>;

/** That a site start its node in this launch. */
interface Order {
  site: string;
  launchId: string;
  kit: Kit;
}

export class SiteNodes {
  /** How many orders to begin anew are under way, and the first step of each. */
  private ordering = 0;
  private readonly handingOn = new CancellationScope();

  /** @param signalled the sites that were told to start, or may have been */
  constructor(
    private readonly launch: LaunchContext,
    readonly signalled: Set<string>,
  ) {}

  /** Tells every site to start its node. */
  bringUp(kits: readonly Kit[]): Promise<void> {
    const { input, ref } = this.launch;
    return this.order(
      input.sites.map(({ id }) => ({ site: id, launchId: ref().launchId, kit: kitOf(kits, id) })),
    );
  }

  private async order(orders: readonly Order[]): Promise<void> {
    const { input, ref } = this.launch;
    const endpoint = this.launch.endpoint();
    const { consortium, windows } = input;
    const computation = nodeComputation(input);
    const bySite = new Map(input.sites.map((site) => [site.id, site]));
    const starts = orders.flatMap(({ site: id, launchId, kit }): EdgeClientStartRun[] => {
      const site = bySite.get(id);
      if (!site) return [];
      const start = { ...ref(), launchId, consortium, site, computation, kit, windows };
      return [{ ...start, ...(endpoint && { endpoint }) }];
    });
    for (let first = 0; first < starts.length; first += SITES_PER_BATCH) {
      const batch = starts.slice(first, first + SITES_PER_BATCH);
      const { signalEdgeClients } = proxyActivities<CentralActivities>({
        ...options.reporting,
        summary: `EdgeClientStartRun to ${batch.length} sites`,
      });
      // Counted before it is known to have arrived: a site that may have been told to start is told to stop.
      for (const { site } of batch) this.signalled.add(site.id);
      await signalEdgeClients({ starts: batch });
    }
  }

  /** Whether an order to begin anew is under way. */
  get isOrdering(): boolean {
    return this.ordering > 0;
  }

  /**
   * Lets the nodes of some sites begin anew beside the others. What a site still has of its older node, it stops first.
   * A failure of it is told like that of any step, and changes nothing: the nodes are as they were.
   * @param asked who wants it
   * @param goesOn whether the run still is to go on
   */
  async retry(siteIds: readonly string[], asked: Asked, host: string, goesOn: () => boolean): Promise<void> {
    this.ordering += 1;
    try {
      const kits = await this.handingOn.run(() => this.handOn(siteIds, host));
      const { model, learn } = this.launch;
      const still = kits.filter(({ site }) => goesOn() && canRetry(model(), site));
      for (const { site, launchId } of still)
        learn({ type: 'retrySite', node: site, retry: { ...asked, launchId, at: now() } });
      await this.order(still);
    } catch (error) {
      log.warn('sites were not retried', { siteIds, error: String(error) });
    } finally {
      this.ordering -= 1;
    }
  }

  private async handOn(siteIds: readonly string[], host: string): Promise<Order[]> {
    const { input, ref } = this.launch;
    const to = siteIds.map((site) => ({ site, launchId: newLaunchId() }));
    const { handOnKits } = proxyActivities<HostActivities>({
      ...options.transferring(host, input.windows),
      summary: `kits once more for ${siteIds.length} sites`,
    });
    const { kits } = PublishedKits.parse(await handOnKits({ ...ref(), to }));
    return to.map((one) => ({ ...one, kit: kitOf(kits, one.site) }));
  }

  /** Stops every node, confirmed by each, or given up as lost. */
  async stop(stop: Omit<StopSignal, 'launchId'>): Promise<void> {
    this.handingOn.cancel();
    // A site that was told to stop before it is told to start would start.
    if (this.isOrdering) await condition(() => !this.isOrdering);
    const { input, model, learn, ref } = this.launch;
    const open = () => sites(model()).filter(({ state }) => !isTerminalNode(state));
    for (const { node } of open()) {
      if (this.signalled.has(node)) this.tellToStop(node, stop);
      else learn({ type: 'status', status: { launchId: ref().launchId, node, state: 'stopped' } });
    }
    await condition(() => open().length === 0, toConfirm(input));
    for (const { node } of open()) unconfirmed(this.launch, node, launchOf(model(), node));
  }

  /** Tells the launch of this site's node to stop. */
  tellToStop(siteId: string, stop: Omit<StopSignal, 'launchId'>): void {
    const { ref, model } = this.launch;
    const edge = getExternalWorkflowHandle(edgeRunWorkflowId(ref().runId, siteId));
    const told = edge.signal(stopSignal, { ...stop, launchId: launchOf(model(), siteId) });
    void forget(told, 'the part of the run at this site has ended');
  }
}
