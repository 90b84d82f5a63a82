/** Where the parts of a stack will be found: decided before any of them starts, so that all can start together. */
import { tlsFiles, type TlsFiles } from '../certificates/tls-files';
import { findBridge, HOST_FROM_CONTAINERS } from './bridge';
import { freePort } from './ports';
import { siteTls } from './site-tls';
import { readStackFile, type Secrets, type StackFile, type StatePaths } from './state';

/** Nothing of a local stack is reached from other machines. */
const LOOPBACK = '127.0.0.1';
const DEFAULT_PORTS = {
  temporal: 7233,
  temporalUi: 8233,
  minio: 9000,
  api: 7400,
  gateway: 7410,
  siteApi: 7443,
} as const;
type PortName = keyof typeof DEFAULT_PORTS;

/** The environment asks for something that cannot be used; the message says what to set. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Addresses of all parts; `own` is where a part listens that is ours to run. */
export interface Place {
  temporal: StackFile['temporal'] & {
    own?: { host: string; port: number; uiPort: number };
    /** One that runs already may be reached by TLS; the development server knows none. */
    tls?: TlsFiles | undefined;
  };
  objectStore: StackFile['objectStore'] & { own?: { host: string; port: number } };
  api: StackFile['api'] & { own: { hosts: readonly string[]; port: number } };
  sites: StackFile['sites'] & { own: { host: string; apiPort: number; gatewayPort: number } };
  ports: StackFile['ports'];
}

/**
 * Addresses for every part: those that the environment gives, else free ports of this machine; the ones of the last
 * start and the default ones come first.
 */
export async function choosePlace(
  paths: StatePaths,
  secrets: Secrets,
  env: NodeJS.ProcessEnv,
): Promise<Place> {
  const lastPorts = (await readStackFile(paths))?.ports ?? {};
  const ports: Record<string, number> = {};
  const choose = async (name: PortName, hosts: readonly string[] = [LOOPBACK]): Promise<number> => {
    const preferred = [lastPorts[name] ?? DEFAULT_PORTS[name], DEFAULT_PORTS[name]];
    const port = await freePort(hosts, preferred, Object.values(ports));
    ports[name] = port;
    return port;
  };
  return {
    temporal: temporalFrom(env) ?? (await ownTemporal(choose, env)),
    objectStore: objectStoreFrom(env) ?? (await ownObjectStore(choose, secrets, siteTls(paths).ca)),
    api: await ownApi(choose),
    sites: await ownSites(choose),
    ports,
  };
}

type Choose = (name: PortName, hosts?: readonly string[]) => Promise<number>;

const namespaceFrom = (env: NodeJS.ProcessEnv) => env.TEMPORAL_NAMESPACE ?? 'default';

function temporalFrom(env: NodeJS.ProcessEnv): Place['temporal'] | undefined {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_UI_URL: uiUrl } = env;
  if (address === undefined) return undefined;
  const tls = tlsFiles('TEMPORAL', env, (name, why) => {
    throw new SettingsError(`${name} ${why}.`);
  });
  return { address, namespace: namespaceFrom(env), uiUrl, tls };
}

async function ownTemporal(choose: Choose, env: NodeJS.ProcessEnv): Promise<Place['temporal']> {
  const own = { host: LOOPBACK, port: await choose('temporal'), uiPort: await choose('temporalUi') };
  return {
    address: `${own.host}:${own.port}`,
    namespace: namespaceFrom(env),
    uiUrl: `http://${own.host}:${own.uiPort}`,
    own,
  };
}

function objectStoreFrom(env: NodeJS.ProcessEnv): Place['objectStore'] | undefined {
  const { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey } = env;
  if (endpoint === undefined) return undefined;
  if (accessKey === undefined || secretKey === undefined) {
    throw new SettingsError('MINIO_ENDPOINT is set: set MINIO_ACCESS_KEY and MINIO_SECRET_KEY too.');
  }
  return { endpoint, accessKey, secretKey, ca: env.MINIO_TLS_CA };
}

async function ownObjectStore(choose: Choose, secrets: Secrets, ca: string): Promise<Place['objectStore']> {
  const own = { host: LOOPBACK, port: await choose('minio') };
  return { endpoint: `https://${own.host}:${own.port}`, ...secrets.objectStore, ca, own };
}

async function ownApi(choose: Choose): Promise<Place['api']> {
  const bridge = await findBridge();
  const hosts = bridge?.gateway === undefined ? [LOOPBACK] : [LOOPBACK, bridge.gateway];
  const port = await choose('api', hosts);
  const nodeUrl = bridge && `http://${HOST_FROM_CONTAINERS}:${port}`;
  return { url: `http://${LOOPBACK}:${port}`, nodeUrl, own: { hosts, port } };
}

async function ownSites(choose: Choose): Promise<Place['sites']> {
  const own = { host: LOOPBACK, apiPort: await choose('siteApi'), gatewayPort: await choose('gateway') };
  return {
    apiUrl: `https://${own.host}:${own.apiPort}`,
    gateway: `${own.host}:${own.gatewayPort}`,
    own,
  };
}
