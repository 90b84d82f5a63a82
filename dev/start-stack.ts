/** Bringing a local stack up: whatever can is started at the same time, and told of in the order of the parts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CENTRAL_QUEUE } from '../workflows/contract';
import { findBridge, HOST_FROM_CONTAINERS } from './bridge';
import { prepareTemporal } from './namespace';
import { findMinio } from './object-store';
import { PartError, type Part } from './part';
import { apiPart, centralWorkerPart, minioPart, temporalPart } from './parts';
import { freePort, isFree } from './ports';
import { self } from './process-identity';
import type { Waiting } from './programs';
import { readStackFile, type Secrets, type StackFile, type StatePaths } from './state';
import type { Supervisor } from './supervisor';
import { findTemporal } from './temporal';
import { mintToken, WORKER_TOKEN_LIFETIME } from './tokens';

const LOOPBACK = '127.0.0.1';
const DEFAULT_PORTS = { temporal: 7233, temporalUi: 8233, minio: 9000, api: 7400 } as const;
type PortName = keyof typeof DEFAULT_PORTS;
const PORT_TRIES = 3;

/** Hears how a stack comes up and what happens to it later. Parts are told of in their order, one after the other. */
export interface StackProgress {
  /** A part is about to come up. */
  starting(part: string): void;
  /** What it is waiting for. */
  doing(part: string, text: string): void;
  /** It serves, at `address`. */
  up(part: string, address: string): void;
  /** A part has ended by itself, or is up again. */
  notice(line: string): void;
}

/** The environment asks for something that cannot be used; the message says what to set. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

export interface StackStart {
  paths: StatePaths;
  secrets: Secrets;
  supervisor: Supervisor;
  progress: StackProgress;
  signal: AbortSignal;
  env: NodeJS.ProcessEnv;
}

/** Starts every part; when one fails, the others are no longer waited for. Stopping them is left to the caller. */
export async function startStack(given: StackStart): Promise<StackFile> {
  const { paths, progress } = given;
  const failed = new AbortController();
  const ports = (await readStackFile(paths))?.ports ?? {};
  const start = new Start({ ...given, signal: AbortSignal.any([given.signal, failed.signal]) }, ports);

  const temporal = start.temporal();
  const objectStore = start.objectStore();
  const api = start.api(temporal, objectStore);
  const centralWorker = start.centralWorker(temporal, objectStore, api);
  const addresses = {
    temporal: temporal.then(({ address }) => address),
    minio: objectStore.then(({ endpoint }) => endpoint),
    api: api.then(({ url }) => url),
    'central-worker': centralWorker.then(() => CENTRAL_QUEUE),
  };
  const all = Object.values(addresses);
  for (const one of all) one.catch((error: unknown) => failed.abort(error));
  try {
    for (const [part, address] of Object.entries(addresses)) {
      progress.starting(part);
      progress.up(part, await address);
    }
  } finally {
    await Promise.allSettled(all);
  }
  return {
    supervisor: await self(),
    temporal: await temporal,
    objectStore: await objectStore,
    api: await api,
    centralResults: paths.centralResults,
    ports,
  };
}

class Start {
  constructor(
    private readonly given: StackStart,
    /** Those of the last start; replaced by those of this one. */
    private readonly ports: Record<string, number>,
  ) {}

  async temporal(): Promise<StackFile['temporal']> {
    const { env, signal } = this.given;
    const namespace = env.TEMPORAL_NAMESPACE ?? 'default';
    const running = env.TEMPORAL_ADDRESS;
    const server =
      running === undefined ? await this.ownTemporal() : { address: running, uiUrl: env.TEMPORAL_UI_URL };
    await prepareTemporal(server.address, namespace, signal);
    return { namespace, ...server };
  }

  private async ownTemporal() {
    const { paths, env } = this.given;
    const cli = await findTemporal(this.waiting('temporal'), env);
    await mkdir(paths.temporal, { recursive: true });
    const uiPort = await this.choosePort('temporalUi', [LOOPBACK]);
    const port = await this.startOnPort('temporal', [LOOPBACK], (port) =>
      temporalPart(paths, cli, {
        host: LOOPBACK,
        port,
        uiPort,
        database: join(paths.temporal, 'temporal.db'),
      }),
    );
    return { address: `${LOOPBACK}:${port}`, uiUrl: `http://${LOOPBACK}:${uiPort}` };
  }

  async objectStore(): Promise<StackFile['objectStore']> {
    const { paths, env, secrets } = this.given;
    if (env.MINIO_ENDPOINT !== undefined) return givenObjectStore(env.MINIO_ENDPOINT, env);
    const minio = await findMinio(this.waiting('minio'), env);
    await mkdir(paths.minio, { recursive: true });
    const port = await this.startOnPort('minio', [LOOPBACK], (port) =>
      minioPart(paths, minio, { host: LOOPBACK, port, folder: paths.minio, ...secrets.objectStore }),
    );
    return { endpoint: `http://${LOOPBACK}:${port}`, ...secrets.objectStore };
  }

  async api(
    temporal: Promise<StackFile['temporal']>,
    objectStore: Promise<StackFile['objectStore']>,
  ): Promise<StackFile['api']> {
    const { paths, secrets } = this.given;
    const bridge = await findBridge();
    const hosts = bridge?.gateway === undefined ? [LOOPBACK] : [LOOPBACK, bridge.gateway];
    const at = (port: number) => ({
      url: `http://${LOOPBACK}:${port}`,
      ...(bridge && { nodeUrl: `http://${HOST_FROM_CONTAINERS}:${port}` }),
    });
    const wiring = { temporal: await temporal, objectStore: await objectStore };
    await mkdir(paths.api, { recursive: true });
    const port = await this.startOnPort('api', hosts, (port) =>
      apiPart(paths, { ...wiring, api: at(port) }, { hosts, port, secret: secrets.api }),
    );
    return at(port);
  }

  async centralWorker(
    temporal: Promise<StackFile['temporal']>,
    objectStore: Promise<StackFile['objectStore']>,
    api: Promise<StackFile['api']>,
  ): Promise<void> {
    const { paths, secrets, supervisor, signal } = this.given;
    const wiring = { temporal: await temporal, objectStore: await objectStore, api: await api };
    const token = await mintToken(secrets.api, { role: 'central', sub: 'central' }, WORKER_TOKEN_LIFETIME);
    await supervisor.start(centralWorkerPart(paths, wiring, token), signal);
  }

  /** Starts a part on a free port; should someone else take that meanwhile, on another. */
  private async startOnPort(
    name: PortName,
    hosts: readonly string[],
    partOn: (port: number) => Part,
  ): Promise<number> {
    for (let tries = 1; ; tries++) {
      const port = await this.choosePort(name, hosts);
      try {
        await this.given.supervisor.start(partOn(port), this.given.signal);
        return port;
      } catch (error) {
        const wasTaken = error instanceof PartError && !(await isFree(hosts, port));
        if (!wasTaken || tries === PORT_TRIES) throw error;
      }
    }
  }

  private async choosePort(name: PortName, hosts: readonly string[]): Promise<number> {
    const port = await freePort(hosts, [this.ports[name] ?? DEFAULT_PORTS[name], DEFAULT_PORTS[name]]);
    this.ports[name] = port;
    return port;
  }

  private waiting(part: string): Waiting {
    const { progress, signal } = this.given;
    return { progress: (text) => progress.doing(part, text), signal };
  }
}

function givenObjectStore(endpoint: string, env: NodeJS.ProcessEnv): StackFile['objectStore'] {
  const { MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey } = env;
  if (accessKey === undefined || secretKey === undefined) {
    throw new SettingsError('MINIO_ENDPOINT is set: set MINIO_ACCESS_KEY and MINIO_SECRET_KEY too.');
  }
  return { endpoint, accessKey, secretKey };
}
