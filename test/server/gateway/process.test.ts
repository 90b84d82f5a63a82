/** The gateway as a process: its settings, what it does while the API is away, and its end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { ApiAdmissions } from '../../../server/gateway/admissions';
import { readGatewayConfig } from '../../../server/gateway/config';
import { useTemporal } from '../../support/temporal';
import { SERVICE, Stage } from './stage';
import { until } from '../../support/until';

const temporal = useTemporal();
const stage = Stage.use(temporal);

const good = {
  MUSTER_GATEWAY_TLS_CERT: '/cert',
  MUSTER_GATEWAY_TLS_KEY: '/key',
  MUSTER_SITE_CA_CERT: '/ca',
  MUSTER_GATEWAY_KEYS: `new:${Buffer.alloc(32, 1).toString('base64url')},old:${Buffer.alloc(32, 2).toString('base64url')}`,
  MUSTER_API_URL: 'http://127.0.0.1:7400/',
  MUSTER_API_TOKEN: 'token',
};

describe('settings', () => {
  it('are few', () => {
    expect(readGatewayConfig(good)).toEqual({
      host: '127.0.0.1',
      port: 7410,
      certificate: { cert: '/cert', key: '/key' },
      siteCa: '/ca',
      keys: [
        { id: 'new', secret: Buffer.alloc(32, 1) },
        { id: 'old', secret: Buffer.alloc(32, 2) },
      ],
      api: { url: 'http://127.0.0.1:7400', token: 'token' },
      logLevel: 'info',
      temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    });
  });

  it.each([
    [{ MUSTER_GATEWAY_TLS_CERT: '' }, /^MUSTER_GATEWAY_TLS_CERT is not set/],
    [{ MUSTER_GATEWAY_KEYS: 'short:abc' }, /^MUSTER_GATEWAY_KEYS must be id:key/],
    [{ MUSTER_GATEWAY_KEYS: `${good.MUSTER_GATEWAY_KEYS},new:${'A'.repeat(43)}` }, /each id once/],
    [{ MUSTER_GATEWAY_PORT: 'high' }, /^MUSTER_GATEWAY_PORT must be a port number$/],
    [{ MUSTER_API_URL: 'api' }, /^MUSTER_API_URL must be an address/],
    [{ TEMPORAL_TLS_CERT: '/c', TEMPORAL_TLS_CA: '/a' }, /belong together/],
    [{ TEMPORAL_TLS_CERT: '/c', TEMPORAL_TLS_KEY: '/k' }, /^TEMPORAL_TLS_CA is not set/],
  ])('that are wrong are said in one line: %j', (wrong, line) => {
    expect(() => readGatewayConfig({ ...good, ...wrong })).toThrow(line);
  });
});

/** The API, as far as the gateway asks it. */
async function openApi() {
  const api = { revoked: [] as string[], away: false, asked: 0, unchanged: 0, port: 0 };
  const server = createServer((request, response) => {
    api.asked++;
    const etag = `"${api.revoked.join()}"`;
    if (api.away || request.headers.authorization !== 'Bearer token')
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
  temporal.onClose(() => server.close());
  api.port = (server.address() as AddressInfo).port;
  return api;
}

it('who is cut off is known from the API, and stays so while it is away', async () => {
  const api = await openApi();
  const ending = new AbortController();
  const access = { url: `http://127.0.0.1:${api.port}`, token: 'token' };
  const admissions = await ApiAdmissions.open(access, pino({ level: 'silent' }), ending.signal);
  const boston = { siteId: 'boston', serial: 'b0', notAfter: Infinity };
  expect(admissions.admits(boston)).toBe(true);
  let told = 0;
  admissions.onChange(() => told++);
  api.revoked = ['b0'];
  await until(() => told > 0);
  expect(admissions.admits(boston)).toBe(false);
  expect(admissions.admits({ ...boston, serial: 'b1' })).toBe(true);
  await until(() => api.unchanged > 0);
  api.away = true;
  const { asked } = api;
  await until(() => api.asked > asked);
  expect(admissions.admits(boston)).toBe(false);
  ending.abort();
});

const built = join(__dirname, '../../../dist/server/gateway/main.js');

describe('the process', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'muster-gateway-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function start(env: Record<string, string>): ChildProcess {
    return spawn(process.execPath, [built], { env: { PATH: process.env.PATH, ...env } });
  }

  it('says what is wrong with its settings, and ends with 2', async () => {
    const child = start({ ...good, MUSTER_API_TOKEN: '' });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([
      2,
      'MUSTER_API_TOKEN is not set: make one with `muster token`, for the gateway\n',
    ]);
  });

  it('passes calls until it is told to end', async () => {
    const api = await openApi();
    const { cert, key } = await stage.authority.issueServer();
    const files = { cert, key, ca: stage.authority.cert };
    for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem);
    const child = start({
      ...good,
      MUSTER_GATEWAY_TLS_CERT: join(folder, 'cert'),
      MUSTER_GATEWAY_TLS_KEY: join(folder, 'key'),
      MUSTER_SITE_CA_CERT: join(folder, 'ca'),
      MUSTER_GATEWAY_PORT: '0',
      MUSTER_API_URL: `http://127.0.0.1:${api.port}`,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    });
    temporal.onClose(() => child.kill('SIGKILL'));
    const lines: Record<string, unknown>[] = [];
    createInterface(child.stdout!).on('line', (line) =>
      lines.push(JSON.parse(line) as Record<string, unknown>),
    );
    const ready = () => lines.find(({ msg }) => msg === 'ready');
    await until(ready);
    const site = await stage.connectRaw('boston', { port: Number(ready()!.port) });
    await expect(site.send(`${SERVICE}GetSystemInfo`, Buffer.alloc(0))).resolves.toMatchObject({
      code: status.OK,
    });
    const poll = site.poll();
    const { serialNumber } = new X509Certificate((await stage.certificateOf('boston')).cert);
    api.revoked = [serialNumber.toLowerCase()];
    await expect(poll).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    child.kill('SIGTERM');
    await expect(once(child, 'close')).resolves.toEqual([0, null]);
  });
});
