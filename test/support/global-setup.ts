/**
 * Once for a whole jest run: a Temporal development server, a MinIO and the workflow bundle. Tests find them in the
 * environment (support/temporal.ts, support/object-store.ts); global-teardown.ts ends them, and nothing else.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMinio, minioCommand } from '../../dev/object-store';
import { freePort } from '../../dev/ports';
import { devServerArgs, findTemporal } from '../../dev/temporal';
import { listening, startGuarded, type Guarded } from './guarded';
import { ensureWorkflowBundle } from './workflow-bundle';

const host = '127.0.0.1';

async function startTemporal(folder: string): Promise<Guarded> {
  const port = await freePort([host]);
  const command = [await findTemporal({ progress }), ...devServerArgs({ host, port })];
  const server = startGuarded(command, { logFile: join(folder, 'temporal.log') });
  await listening(port, server);
  process.env.MUSTER_TEST_TEMPORAL_ADDRESS = `${host}:${port}`;
  return server;
}

async function startMinio(folder: string): Promise<Guarded> {
  const port = await freePort([host]);
  const [accessKey, secretKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')];
  const { command, env, sweep } = minioCommand(await findMinio({ progress }), {
    host,
    port,
    folder: join(folder, 'minio'),
    accessKey,
    secretKey,
  });
  const server = startGuarded(command, { env, sweep, logFile: join(folder, 'minio.log') });
  await listening(port, server);
  process.env.MUSTER_TEST_MINIO_ENDPOINT = `http://${host}:${port}`;
  process.env.MUSTER_TEST_MINIO_ACCESS_KEY = accessKey;
  process.env.MUSTER_TEST_MINIO_SECRET_KEY = secretKey;
  return server;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

export default async function globalSetup(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-test-'));
  const [bundle, ...servers] = await Promise.all([
    ensureWorkflowBundle(),
    startTemporal(folder),
    startMinio(folder),
  ]);
  process.env.MUSTER_TEST_WORKFLOW_BUNDLE = bundle;
  globalThis.musterTestServers = {
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

declare global {
  var musterTestServers: { stop(): Promise<void> } | undefined;
}
