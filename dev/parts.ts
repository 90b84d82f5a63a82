/** The parts of a local stack: the command, environment and readiness of each. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CENTRAL_QUEUE, siteQueue } from '../workflows/contract';
import { minioCommand, type Minio, type MinioServer } from './object-store';
import { packageRoot } from './package-root';
import type { Part } from './part';
import type { Place } from './place';
import { answers, both, listens, logs } from './readiness';
import { siteTls } from './site-tls';
import type { StackFile, StatePaths } from './state';
import { devServerArgs, type DevServer } from './temporal';

/** This machine's name among central hosts; every stack has a Temporal namespace or server of its own. */
const HOST_ID = 'local';

export function temporalPart(paths: StatePaths, cli: string, server: DevServer): Part {
  return {
    name: 'temporal',
    command: [cli, ...devServerArgs(server)],
    env: {},
    address: `${server.host}:${server.port}`,
    logFile: paths.log('temporal'),
    ready: listens(server.host, server.port),
  };
}

export function minioPart(paths: StatePaths, minio: Minio, server: MinioServer): Part {
  const { command, env, sweep } = minioCommand(minio, server);
  return {
    name: 'minio',
    command,
    env,
    address: `${server.host}:${server.port}`,
    logFile: paths.log('minio'),
    ready: answers(`https://${server.host}:${server.port}/minio/health/ready`, siteTls(paths).ca),
    ...(sweep && { sweep: () => void spawnSync(sweep[0], sweep.slice(1), { stdio: 'ignore' }) }),
  };
}

/** All that the parts of our own need to know of the others. */
export type Wiring = Pick<Place, 'temporal'> & Pick<StackFile, 'objectStore' | 'api' | 'sites'>;

export function apiPart(
  paths: StatePaths,
  { temporal, objectStore, api, sites }: Wiring,
  listen: {
    hosts: readonly string[];
    port: number;
    secret: string;
    payloadKeys: string;
    sites: { host: string; apiPort: number };
  },
): Part {
  const { cert, key, ca } = siteTls(paths);
  return {
    name: 'api',
    command: entry('server/main.js'),
    env: {
      ...temporalEnv(temporal),
      ...objectStoreEnv(objectStore),
      MUSTER_API_HOST: listen.hosts.join(','),
      MUSTER_API_PORT: String(listen.port),
      MUSTER_API_SECRET: listen.secret,
      MUSTER_PAYLOAD_KEYS: listen.payloadKeys,
      // Whoever started the stack is given a link of their own.
      MUSTER_ADMIN_LINK: 'off',
      // The development server's Web UI cannot be told to send a cookie.
      MUSTER_CODEC_FOR: 'local',
      MUSTER_PUBLIC_URL: api.url,
      MUSTER_DATA_DIR: paths.api,
      MUSTER_SITE_API_HOST: listen.sites.host,
      MUSTER_SITE_API_PORT: String(listen.sites.apiPort),
      MUSTER_SITE_API_URL: sites.apiUrl,
      MUSTER_SITE_TLS_CERT: cert,
      MUSTER_SITE_TLS_KEY: key,
      MUSTER_SITE_TLS_CA: ca,
      MUSTER_GATEWAY_ADDRESS: sites.gateway,
    },
    address: api.url,
    logFile: paths.log('api'),
    // Its own word first: at its address another process could answer.
    ready: both(logs('ready'), answers(`${api.url}/readyz`)),
  };
}

/** The API has to be up before: it makes what sites are certified by. */
export function gatewayPart(
  paths: StatePaths,
  { temporal, api, sites }: Wiring,
  {
    host,
    gatewayPort,
    keys,
    payloadKeys,
    token,
  }: { host: string; gatewayPort: number; keys: string; payloadKeys: string; token: string },
): Part {
  const { cert, key } = siteTls(paths);
  return {
    name: 'gateway',
    command: entry('server/gateway/main.js'),
    env: {
      ...temporalEnv(temporal),
      MUSTER_GATEWAY_HOST: host,
      MUSTER_GATEWAY_PORT: String(gatewayPort),
      MUSTER_GATEWAY_TLS_CERT: cert,
      MUSTER_GATEWAY_TLS_KEY: key,
      MUSTER_GATEWAY_KEYS: keys,
      MUSTER_PAYLOAD_KEYS: payloadKeys,
      MUSTER_SITE_CA_CERT: paths.siteCa,
      MUSTER_API_URL: api.url,
      MUSTER_API_TOKEN: token,
    },
    address: sites.gateway,
    logFile: paths.log('gateway'),
    ready: logs('ready'),
  };
}

export function centralWorkerPart(
  paths: StatePaths,
  wiring: Wiring,
  { payloadKeys, token }: { payloadKeys: string; token: string },
): Part {
  return {
    name: 'central-worker',
    command: entry('workers/central.js'),
    env: {
      ...temporalEnv(wiring.temporal),
      MUSTER_API_URL: wiring.api.url,
      MUSTER_API_TOKEN: token,
      MUSTER_PAYLOAD_KEYS: payloadKeys,
      ...nodeApiEnv(wiring.api),
      ...objectStoreEnv(wiring.objectStore),
      MUSTER_HOST_ID: HOST_ID,
      MUSTER_COMPUTATIONS: paths.computations,
      MUSTER_STATE_DIR: paths.central,
      MUSTER_RESULTS_DIR: paths.centralResults,
    },
    address: CENTRAL_QUEUE,
    logFile: paths.log('central-worker'),
    ready: logs('ready'),
  };
}

/** A site's edge worker, run by `siteFile` (site.yaml), which says who it is and how it reaches the centre. */
export function edgeWorkerPart(
  paths: StatePaths,
  { temporal, api }: Pick<Wiring, 'temporal' | 'api'>,
  { siteId, siteFile }: { siteId: string; siteFile: string },
): Part {
  const name = `edge-worker:${siteId}`;
  return {
    name,
    command: entry('workers/edge.js', '--config', siteFile),
    env: {
      TEMPORAL_NAMESPACE: temporal.namespace,
      ...nodeApiEnv(api),
      MUSTER_STATE_DIR: paths.site(siteId),
      MUSTER_RESULTS_DIR: paths.siteResults(siteId),
    },
    address: siteQueue(siteId),
    logFile: paths.log(name),
    ready: logs('ready'),
  };
}

function entry(file: string, ...args: string[]): [string, ...string[]] {
  return [process.execPath, join(packageRoot(), 'dist', file), ...args];
}

function nodeApiEnv({ nodeUrl }: Wiring['api']): Record<string, string> {
  return nodeUrl === undefined ? {} : { MUSTER_NODE_API_URL: nodeUrl };
}

function temporalEnv({ address, namespace, uiUrl, tls }: Wiring['temporal']): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    // Also where there are none: parts get what this process was given, which may be for another server.
    TEMPORAL_TLS_CA: tls?.ca ?? '',
    TEMPORAL_TLS_CERT: tls?.own?.cert ?? '',
    TEMPORAL_TLS_KEY: tls?.own?.key ?? '',
    ...(uiUrl !== undefined && { TEMPORAL_UI_URL: uiUrl }),
  };
}

function objectStoreEnv({
  endpoint,
  accessKey,
  secretKey,
  ca,
}: Wiring['objectStore']): Record<string, string> {
  return {
    MINIO_ENDPOINT: endpoint,
    MINIO_ACCESS_KEY: accessKey,
    MINIO_SECRET_KEY: secretKey,
    ...(ca !== undefined && { MINIO_TLS_CA: ca }),
  };
}
