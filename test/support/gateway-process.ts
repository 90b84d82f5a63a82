/** The gateway as the process that it is, and of the central API as much as it asks for. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../dev/package-root';
import { TEST_KEYS_TEXT } from './sealed';
import type { TestAuthority } from './certificates';
import { until } from './until';

const TOKEN = 'token';

/** Says which certificates are good no more. */
export interface AdmissionsApi {
  /** Serial numbers. */
  revoked: string[];
  away: boolean;
  readonly asked: number;
  readonly unchanged: number;
  readonly url: string;
  readonly token: string;
  close(): void;
}

export async function openAdmissionsApi(): Promise<AdmissionsApi> {
  const server = createServer((request, response) => {
    api.asked++;
    const etag = `"${api.revoked.join()}"`;
    if (api.away || request.headers.authorization !== `Bearer ${TOKEN}`)
      return void response.writeHead(503).end();
    if (request.headers['if-none-match'] === etag) {
      api.unchanged++;
      return void response.writeHead(304).end();
    }
    response.writeHead(200, { etag, 'content-type': 'application/json' });
    response.end(JSON.stringify({ revoked: api.revoked }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api = {
    ...{ revoked: [] as string[], away: false, asked: 0, unchanged: 0, token: TOKEN },
    url: `http://127.0.0.1:${port}`,
    close: () => void server.close(),
  };
  return api;
}

/** Settings that are enough for a gateway to begin to start. */
export const GATEWAY_SETTINGS = {
  MUSTER_GATEWAY_TLS_CERT: '/cert',
  MUSTER_GATEWAY_TLS_KEY: '/key',
  MUSTER_SITE_CA_CERT: '/ca',
  MUSTER_GATEWAY_KEYS: `new:${Buffer.alloc(32, 1).toString('base64url')},old:${Buffer.alloc(32, 2).toString('base64url')}`,
  MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT,
  MUSTER_API_URL: 'http://127.0.0.1:7400/',
  MUSTER_API_TOKEN: TOKEN,
};

export function spawnGateway(env: Readonly<Record<string, string>>): ChildProcess {
  const built = join(packageRoot(), 'dist/server/gateway/main.js');
  return spawn(process.execPath, [built], { env: { PATH: process.env.PATH, ...env } });
}

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

/** Starts one whose files are in `folder`, and resolves when it is ready. */
export async function startGateway(
  folder: string,
  {
    authority,
    api,
    temporal,
  }: {
    /** Of the sites, and of the gateway itself. */
    authority: TestAuthority;
    api: Pick<AdmissionsApi, 'url' | 'token'>;
    temporal: { address: string; namespace: string };
  },
): Promise<GatewayProcess> {
  const { cert, key } = await authority.issueServer();
  const files = { cert, key, ca: authority.cert };
  for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem);
  const child = spawnGateway({
    ...GATEWAY_SETTINGS,
    MUSTER_GATEWAY_TLS_CERT: join(folder, 'cert'),
    MUSTER_GATEWAY_TLS_KEY: join(folder, 'key'),
    MUSTER_SITE_CA_CERT: join(folder, 'ca'),
    MUSTER_GATEWAY_PORT: '0',
    MUSTER_API_URL: api.url,
    MUSTER_API_TOKEN: api.token,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
  });
  const lines: Record<string, unknown>[] = [];
  createInterface(child.stdout!).on('line', (line) => {
    if (lines.length < 10) lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
  const { port } = await until(() => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The gateway has ended: ${complaints}`);
    return lines.find(({ msg }) => msg === 'ready');
  });
  return { child, pid: child.pid ?? 0, port: Number(port) };
}
