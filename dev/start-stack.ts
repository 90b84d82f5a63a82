/** Bringing the parts of a local stack up: each as soon as it can, and told of in their order. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CENTRAL_QUEUE } from '../workflows/contract';
import { prepareTemporal } from './namespace';
import { findMinio, type Minio } from './object-store';
import { apiPart, centralWorkerPart, gatewayPart, minioPart, temporalPart } from './parts';
import type { Place } from './place';
import type { Waiting } from './programs';
import { ensureMinioTls, ensureSiteTls } from './site-tls';
import type { Secrets, StatePaths } from './state';
import type { Supervisor } from './supervisor';
import { findTemporal } from './temporal';
import { mintToken, WORKER_TOKEN_LIFETIME } from './tokens';

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

export interface StackStart {
  paths: StatePaths;
  place: Place;
  secrets: Secrets;
  supervisor: Supervisor;
  progress: StackProgress;
  signal: AbortSignal;
  env: NodeJS.ProcessEnv;
}

/** Starts every part. When one fails, the others are no longer waited for; stopping them is left to the caller. */
export async function startStack(given: StackStart): Promise<void> {
  const failed = new AbortController();
  const steps = startParts({ ...given, signal: AbortSignal.any([given.signal, failed.signal]) });
  for (const { done } of steps) done.catch((error: unknown) => failed.abort(error));
  try {
    for (const { part, done, address } of steps) {
      given.progress.starting(part);
      await done;
      given.progress.up(part, address);
    }
  } finally {
    await Promise.allSettled(steps.map(({ done }) => done));
  }
}

interface Step {
  part: string;
  address: string;
  done: Promise<void>;
}

/** Finding programs comes first, for it may take minutes; then everything starts at once, except who needs the others. */
function startParts(start: StackStart): Step[] {
  const { place, progress, signal, env } = start;
  const waiting = (part: string): Waiting => ({ progress: (text) => progress.doing(part, text), signal });
  const cli = place.temporal.own && findTemporal(waiting('temporal'), env);
  const minio = place.objectStore.own && findMinio(waiting('minio'), env);
  const temporal = startTemporal(start, cli);
  const objectStore = startMinio(start, minio);
  const api = startApi(start, Promise.all([cli, minio]));
  const gateway = startGateway(start, api);
  const centralWorker = startCentralWorker(start, Promise.all([temporal, objectStore]));
  return [
    { part: 'temporal', address: place.temporal.address, done: temporal },
    { part: 'minio', address: place.objectStore.endpoint, done: objectStore },
    { part: 'api', address: place.api.url, done: api },
    { part: 'gateway', address: place.sites.gateway, done: gateway },
    { part: 'central-worker', address: `queue ${CENTRAL_QUEUE}`, done: centralWorker },
  ];
}

async function startTemporal(
  { paths, place, supervisor, signal }: StackStart,
  cli?: Promise<string>,
): Promise<void> {
  const { own } = place.temporal;
  if (own !== undefined && cli !== undefined) {
    await mkdir(paths.temporal, { recursive: true });
    const database = join(paths.temporal, 'temporal.db');
    const codecEndpoint = `${place.api.url}/api/codec`;
    await supervisor.start(temporalPart(paths, await cli, { ...own, database, codecEndpoint }), signal);
  }
  await prepareTemporal(place.temporal, signal);
}

async function startMinio(
  { paths, place, supervisor, signal }: StackStart,
  minio?: Promise<Minio>,
): Promise<void> {
  const { own, accessKey, secretKey } = place.objectStore;
  if (own === undefined || minio === undefined) return;
  await mkdir(paths.minio, { recursive: true });
  const certs = await ensureMinioTls(paths);
  const server = { ...own, folder: paths.minio, certs, accessKey, secretKey };
  await supervisor.start(minioPart(paths, await minio, server), signal);
}

async function startApi(
  { paths, place, secrets, supervisor, signal }: StackStart,
  programsFound: Promise<unknown>,
): Promise<void> {
  await programsFound;
  await Promise.all([mkdir(paths.api, { recursive: true }), ensureSiteTls(paths)]);
  const listen = {
    ...{ ...place.api.own, secret: secrets.api, payloadKeys: secrets.payloads },
    sites: place.sites.own,
  };
  await supervisor.start(apiPart(paths, place, listen), signal);
}

async function startGateway(
  { paths, place, secrets, supervisor, signal }: StackStart,
  apiUp: Promise<unknown>,
): Promise<void> {
  await apiUp;
  const token = await mintToken(secrets.api, { role: 'gateway', sub: 'gateway' }, WORKER_TOKEN_LIFETIME);
  const gateway = { ...place.sites.own, keys: secrets.gateway, payloadKeys: secrets.payloads, token };
  await supervisor.start(gatewayPart(paths, place, gateway), signal);
}

async function startCentralWorker(
  { paths, place, secrets, supervisor, signal }: StackStart,
  serversUp: Promise<unknown>,
): Promise<void> {
  await serversUp;
  const token = await mintToken(secrets.api, { role: 'central', sub: 'central' }, WORKER_TOKEN_LIFETIME);
  await supervisor.start(centralWorkerPart(paths, place, { payloadKeys: secrets.payloads, token }), signal);
}
