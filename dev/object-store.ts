/** The object store of the local stack: how to come by MinIO, and how it is run. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { run } from './run';
import { firstThatWorks, inCache, made, onPath, type Program, type Waiting, type Way } from './programs';

const MINIO: Program = { name: 'minio', version: '2026-02-12' };
const SOURCE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';
const IMAGE = 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z';
const PULL_TIMEOUT_MS = 300_000;
const INSPECT_TIMEOUT_MS = 10_000;

/** A MinIO that can be started: a program on this machine, or an image that the Docker engine holds. */
export type Minio = { kind: 'program'; path: string } | { kind: 'image'; image: string };

/** A MinIO to start. */
export function findMinio(waiting: Waiting, env: NodeJS.ProcessEnv = process.env): Promise<Minio> {
  return firstThatWorks(
    'MinIO',
    [
      program(onPath('minio', env)),
      program(inCache(MINIO, env)),
      pulled(env),
      program(made('build with Go', MINIO, build(env), env)),
    ],
    'Install MinIO, Docker (https://docs.docker.com/engine/install) or Go (https://go.dev/dl), or set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY to a running S3 store.',
    waiting,
  );
}

function program(way: Way<string>): Way<Minio> {
  return { name: way.name, take: async (waiting) => ({ kind: 'program', path: await way.take(waiting) }) };
}

function pulled(env: NodeJS.ProcessEnv): Way<Minio> {
  return {
    name: `Docker with the image ${IMAGE}`,
    async take({ progress, signal }) {
      if (!(await holdsImage(env))) {
        progress(`pulling ${IMAGE}`);
        await run('docker', ['pull', '--quiet', IMAGE], { env, signal, timeoutMs: PULL_TIMEOUT_MS });
      }
      return { kind: 'image', image: IMAGE };
    },
  };
}

function holdsImage(env: NodeJS.ProcessEnv): Promise<boolean> {
  return run('docker', ['image', 'inspect', IMAGE], { env, timeoutMs: INSPECT_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}

function build(env: NodeJS.ProcessEnv) {
  return async (folder: string, { progress, signal }: Waiting) => {
    progress('building MinIO with Go (once; about 6 minutes)');
    const options = { cwd: folder, env: { ...env, GOBIN: folder }, signal };
    await run('go', ['install', '-buildvcs=false', '-ldflags', '-s -w', SOURCE], options);
    return join(folder, MINIO.name);
  };
}

/** How MinIO is to run. */
export interface MinioServer {
  host: string;
  port: number;
  /** Where objects are kept. */
  folder: string;
  accessKey: string;
  secretKey: string;
  /** A folder with `public.crt` and `private.key`, where the store is to be reached by TLS. */
  certs?: string;
}

type CommandLine = readonly [string, ...string[]];

/** The command that runs MinIO. The keys are in its environment, where a list of processes does not show them. */
export function minioCommand(
  minio: Minio,
  server: MinioServer,
): { command: CommandLine; env: Record<string, string>; sweep?: CommandLine } {
  const { host, port, folder, accessKey, secretKey, certs } = server;
  const tls = (path: string) => (certs === undefined ? [] : ['--certs-dir', path]);
  const env = {
    MINIO_ROOT_USER: accessKey,
    MINIO_ROOT_PASSWORD: secretKey,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  };
  if (minio.kind === 'program') {
    const listen = ['--address', `${host}:${port}`];
    return { command: [minio.path, 'server', '--quiet', ...tls(certs ?? ''), ...listen, folder], env };
  }
  // The container is no child of ours: it is found again by a name that only this folder has.
  const name = `muster-minio-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  const user = process.getuid && process.getgid ? ['--user', `${process.getuid()}:${process.getgid()}`] : [];
  const keys = Object.keys(env).flatMap((variable) => ['--env', variable]);
  const volumes = [`${folder}:/data`, ...(certs === undefined ? [] : [`${certs}:/certs:ro`])];
  const binds = ['--publish', `${host}:${port}:9000`, ...volumes.flatMap((volume) => ['--volume', volume])];
  const options = ['--rm', '--name', name, ...user, ...keys, ...binds];
  return {
    command: [
      ...(['docker', 'run'] as const),
      ...[...options, minio.image, 'server', '--quiet', ...tls('/certs'), '--address', ':9000', '/data'],
    ],
    env,
    sweep: ['docker', 'rm', '--force', name],
  };
}
