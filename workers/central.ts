/**
 * The central worker: runs the workflows, does the activities that any central worker may do, and, on a queue of its own,
 * those that belong to this host.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import {
  CENTRAL_INPUTS,
  CENTRAL_SILENT,
  createCentralActivities,
  createNoticeActivities,
  createHostActivities,
  type CentralHost,
} from '../activities/central';
import { createActivityRules } from '../activities/shared/interceptor';
import { LaunchFolders } from '../activities/shared/launch-folders';
import { Reconciler } from '../activities/shared/reconcile';
import { forTemporalSdk, readTlsFiles } from '../certificates/tls-files';
import { createCentralApi } from '../client/central-api';
import { createStoreFetch } from '../client/site-transport';
import {
  chooseRuntime,
  connectEngine,
  createHostImages,
  createNodeRuntimes,
  createPortLedger,
} from '../nodes';
import { createObjectStore, objectStoreConfigFromEnv, type ObjectStoreConfig } from '../storage';
import { sealedHistories } from '../sealing/payload-codec';
import { CENTRAL_NODE, CENTRAL_QUEUE, hostQueue } from '../workflows/contract';
import { BUILT_BUNDLE } from './build-bundle';
import { HEARTBEAT_THROTTLE } from './heartbeat';
import { readComputationsFile } from './policy-files';
import { connect, logTemporalTo, main, runUntilStopped } from './run-workers';
import { SettingsError, centralSettings, type CentralSettings } from './settings';

async function start(log: Logger): Promise<void> {
  const settings = centralSettings(process.env);
  logTemporalTo(log);
  const host = await createHost(settings);
  const temporal = await temporalOptions(settings);
  const variables = settings.temporalTls ? 'TEMPORAL_ADDRESS, TEMPORAL_TLS_CA' : 'TEMPORAL_ADDRESS';
  const connection = await connect(`Temporal at ${temporal.address} (${variables})`, temporal);
  const namespace = settings.TEMPORAL_NAMESPACE;
  const dataConverter = sealedHistories(settings.MUSTER_PAYLOAD_KEYS);
  const client = new Client({
    connection: await Connection.connect(temporal),
    namespace,
    dataConverter,
  });
  const rules = createActivityRules({
    log,
    inputs: CENTRAL_INPUTS,
    ownNode: CENTRAL_NODE,
    silent: CENTRAL_SILENT,
    reportError: (runId, body, signal) => host.api.reportErrorCentral(runId, body, signal),
  });
  const shared = {
    connection,
    namespace,
    dataConverter,
    interceptors: { activity: [rules] },
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
  };
  const activities = createHostActivities(host);
  const reconciler = new Reconciler({ host, activities, reserved: () => host.ports.list(), log });
  const workers = [
    await Worker.create({
      ...shared,
      taskQueue: CENTRAL_QUEUE,
      workflowBundle: { codePath: BUILT_BUNDLE },
      activities: {
        ...createCentralActivities(host, activities, client),
        ...createNoticeActivities({
          api: host.api,
          networks: settings.MUSTER_WEBHOOK_NETWORKS,
          mail: mailSettings(settings),
        }),
      },
    }),
    await Worker.create({
      ...shared,
      taskQueue: hostQueue(host.hostId),
      activities,
    }),
  ];
  await runUntilStopped(log, workers, (signal) => reconciler.run(signal));
}

async function createHost(settings: CentralSettings): Promise<CentralHost> {
  const state = settings.MUSTER_STATE_DIR;
  await mkdir(state, { recursive: true, mode: 0o700 });
  // Read now to tell a mistake at the start; it is read anew for each launch.
  await readComputationsFile(settings.MUSTER_COMPUTATIONS);
  const storeSettings = objectStoreSettings();
  const store = createObjectStore(storeSettings);
  await store.ensureBucket();
  return {
    hostId: settings.MUSTER_HOST_ID,
    centralName: settings.MUSTER_CENTRAL_HOST,
    runtimes: createNodeRuntimes({ stateDir: state }),
    chooseRuntime,
    images: createHostImages(connectEngine()),
    folders: new LaunchFolders(state, settings.MUSTER_RESULTS_DIR),
    policy: () => readComputationsFile(settings.MUSTER_COMPUTATIONS),
    api: createCentralApi({ url: settings.MUSTER_API_URL, token: settings.MUSTER_API_TOKEN }),
    // This host is the centre's own: it reaches the store as the centre does, without a proxy.
    fetchKit: createStoreFetch(storeSettings.ca, {}),
    nodeApiUrl: {
      docker: settings.MUSTER_NODE_API_URL ?? settings.MUSTER_API_URL,
      process: settings.MUSTER_API_URL,
    },
    ports: createPortLedger({ file: join(state, 'ports.json'), range: settings.MUSTER_CENTRAL_PORTS }),
    store,
  };
}

function mailSettings({ MUSTER_SMTP_URL: url, MUSTER_SMTP_FROM: from }: CentralSettings) {
  return url === undefined || from === undefined ? undefined : { url, from };
}

async function temporalOptions({ TEMPORAL_ADDRESS: address, temporalTls }: CentralSettings) {
  try {
    return {
      address,
      ...(temporalTls && { tls: forTemporalSdk(await readTlsFiles('TEMPORAL', temporalTls)) }),
    };
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error));
  }
}

function objectStoreSettings(): ObjectStoreConfig {
  try {
    return objectStoreConfigFromEnv(process.env);
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error));
  }
}

void main('central-worker', start);
