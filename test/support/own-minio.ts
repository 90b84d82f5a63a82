/** A MinIO of one's own that is reached by TLS; the one of the jest run is not. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMinio, minioCommand } from '../../dev/object-store';
import { freePort } from '../../dev/ports';
import type { Certified } from './certificates';
import { listening, startGuarded } from './guarded';

const HOST = '127.0.0.1';
const KEYS = { accessKey: 'access-of-a-test', secretKey: 'secret-of-a-test' };

export interface OwnMinio {
  /** Its settings, but for what it is certified by. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

export async function startMinioByTls({ cert, key }: Certified): Promise<OwnMinio> {
  const root = await mkdtemp(join(tmpdir(), 'muster-minio-'));
  const [folder, certs] = [join(root, 'data'), join(root, 'certs')];
  await mkdir(certs);
  await writeFile(join(certs, 'public.crt'), cert);
  await writeFile(join(certs, 'private.key'), key);
  const port = await freePort([HOST]);
  const minio = await findMinio({ progress: () => undefined });
  const { command, env, sweep } = minioCommand(minio, { host: HOST, port, folder, certs, ...KEYS });
  const server = startGuarded(command, { env, sweep, logFile: join(root, 'log') });
  await listening(port, server);
  return {
    env: {
      MINIO_ENDPOINT: `https://${HOST}:${port}`,
      MINIO_ACCESS_KEY: KEYS.accessKey,
      MINIO_SECRET_KEY: KEYS.secretKey,
    },
    async stop() {
      await server.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
