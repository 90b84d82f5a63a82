/** The edge worker: does a site's activities, from the site's own queue and by the site's own policy (site.yaml). */
import './small-memory';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Worker, type NativeConnectionOptions, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { EDGE_INPUTS, createEdgeActivities, type EdgeHost } from '../activities/edge';
import { Approvals } from '../activities/edge/approvals';
import { createActivityRules } from '../activities/shared/interceptor';
import { LaunchFolders } from '../activities/shared/launch-folders';
import { Reconciler } from '../activities/shared/reconcile';
import { createCentralApi } from '../client/central-api';
import { chooseRuntime, connectEngine, createHostImages, createNodeRuntimes } from '../nodes';
import { siteQueue } from '../workflows/contract';
import { HEARTBEAT_THROTTLE } from './heartbeat';
import { WorkerIdentity, moveTo } from './identity';
import type { SiteFile } from './policy-files';
import { Presence, ownVersion } from './presence';
import { Readiness } from './readiness';
import { connect, logTemporalTo, main, runUntilStopped } from './run-workers';
import { SettingsError, edgeSettings, type EdgeSettings } from './settings';
import { SiteRulesFile } from './site-rules-file';

/** How an edge worker reaches Temporal. */
interface Way extends Pick<WorkerOptions, 'dataConverter'> {
  connection(site: SiteFile, identity: WorkerIdentity): NativeConnectionOptions;
}

/** Which opens and seals for the site. */
const THROUGH_THE_GATEWAY: Way = {
  connection: (site, identity) => identity.connectionOptions(site.gateway),
};

/** There is no setting for another way than through the gateway: the bench alone takes one, to measure what that costs. */
export async function startEdgeWorker(log: Logger, way = THROUGH_THE_GATEWAY): Promise<void> {
  const siteFile = configArgument();
  const settings = edgeSettings(process.env);
  logTemporalTo(log);
  const file = await SiteRulesFile.open(siteFile, log);
  const site = await file.current();
  const identity = await WorkerIdentity.open({ folder: site.identity, apiUrl: site.api, log });
  if (identity.siteId !== site.site)
    throw new SettingsError(
      `${siteFile} is of the site ${site.site}, and ${site.identity} of ${identity.siteId}`,
    );
  const host = await createHost(settings, { site, file, identity });
  const connectAsNow = () => connect(`the site gateway at ${site.gateway}`, way.connection(site, identity));
  const rules = createActivityRules({
    log,
    inputs: EDGE_INPUTS,
    ownNode: host.siteId,
    silent: [],
    reportError: (runId, body, signal) => host.api.reportErrorEdge(runId, body, signal),
  });
  const activities = createEdgeActivities(host);
  const reconciler = new Reconciler({ host, activities, log });
  const version = ownVersion();
  const { api, approvals, siteId } = host;
  const readiness = new Readiness({ api, rules: () => file.current(), approvals, version, log });
  const onNews = readiness.look.bind(readiness);
  const presence = new Presence({ api, siteId, version, onNews, log });
  const worker = await Worker.create({
    connection: await connectAsNow(),
    namespace: settings.TEMPORAL_NAMESPACE,
    taskQueue: siteQueue(host.siteId),
    activities,
    ...(way.dataConverter && { dataConverter: way.dataConverter }),
    interceptors: { activity: [rules] },
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    // Many sites poll one server: each keeps a single poll open.
    maxConcurrentActivityTaskPolls: 1,
  });
  await runUntilStopped(log, [worker], async (signal) => {
    const renewed = async () => moveTo(await connectAsNow(), [worker]);
    await Promise.all([reconciler.run(signal), presence.run(signal), identity.keepRenewed(signal, renewed)]);
  });
  await presence.leave();
  await identity.close();
}

async function createHost(
  settings: EdgeSettings,
  { site, file, identity }: { site: SiteFile; file: SiteRulesFile; identity: WorkerIdentity },
): Promise<EdgeHost> {
  const { reports } = site;
  const fromContainers = settings.MUSTER_NODE_API_URL ?? reports;
  const state = settings.MUSTER_STATE_DIR;
  await mkdir(state, { recursive: true, mode: 0o700 });
  return {
    siteId: site.site,
    identity,
    runtimes: createNodeRuntimes({ stateDir: state }),
    chooseRuntime,
    images: createHostImages(connectEngine()),
    folders: new LaunchFolders(state, settings.MUSTER_RESULTS_DIR),
    policy: () => file.current(),
    approvals: new Approvals(state),
    api: createCentralApi({ url: site.api, fetch: identity.fetch }),
    fetchKit: identity.fetchKit,
    nodeApiUrl: {
      ...(fromContainers !== undefined && { docker: fromContainers }),
      ...(reports !== undefined && { process: reports }),
    },
  };
}

function configArgument(): string {
  const usage = 'usage: edge --config site.yaml';
  try {
    const { config } = parseArgs({ options: { config: { type: 'string' } } }).values;
    if (config !== undefined) return config;
  } catch (error) {
    throw new SettingsError(`${error instanceof Error ? error.message : String(error)}; ${usage}`);
  }
  throw new SettingsError(usage);
}

if (require.main === module) void main('edge-worker', startEdgeWorker);
