/** The secrets of a stack that runs, as its parts and nodes have them: in their environments, and in files for keys. */
import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Canary } from './canaries';

type Environment = ReadonlyMap<string, string>;

/** What a token is forged without: its claims are known to many, its signature to its bearer. */
export function signatureOf(token: string): string {
  const [, , signature] = token.split('.');
  if (signature === undefined || signature === '') throw new Error('this is no token');
  return signature;
}

/** Of the process of a part. */
export async function secretsOfProcess({ name, pid }: { name: string; pid: number }): Promise<Canary[]> {
  const secrets = [...(await environmentOf(pid))].flatMap(([variable, value]): Canary[] => {
    const of = `${variable} of ${name}`;
    if (/^MUSTER_.*_TOKEN$/.test(variable)) return [{ name: of, value: signatureOf(value) }];
    if (/^MUSTER_.*_SECRET$|^MINIO_(SECRET_KEY|ROOT_PASSWORD)$/.test(variable)) return [{ name: of, value }];
    if (!/^MUSTER_.*_KEYS$/.test(variable)) return [];
    return value.split(',').flatMap((entry) => {
      const [, key = ''] = entry.split(':');
      return [key, Buffer.from(key, 'base64url')].map((form) => ({ name: of, value: form }));
    });
  });
  return secrets;
}

/** By which the nodes of a run report, while they run as processes. */
export async function reportTokens(runId: string): Promise<Canary[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const environments = await Promise.all(
    pids.map((pid) => environmentOf(pid).catch(() => new Map<string, string>())),
  );
  const tokens = environments
    .filter((environment) => environment.get('MUSTER_RUN_ID') === runId)
    .flatMap((environment) => environment.get('MUSTER_REPORT_TOKEN') ?? []);
  return [...new Set(tokens)].map((token) => ({ name: 'report token', value: signatureOf(token) }));
}

/** Every private key in a PEM file below the folder. */
export async function privateKeys(folder: string): Promise<Canary[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    files
      .filter((file) => file.isFile() && /\.(key|pem)$/.test(file.name))
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const pem = await readFile(path, 'utf8');
        if (!pem.includes('PRIVATE KEY')) return [];
        const { d } = createPrivateKey(pem).export({ format: 'jwk' });
        return d === undefined ? [] : [{ name: path, value: Buffer.from(d, 'base64url') }];
      }),
  );
  return found.flat();
}

async function environmentOf(pid: number): Promise<Environment> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8');
  return new Map(
    text.split('\0').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
