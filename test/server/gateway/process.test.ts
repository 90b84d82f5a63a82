/** The gateway as a process: its settings, what it does while the API is away, and its end. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { ApiAdmissions } from '../../../server/gateway/admissions';
import { readGatewayConfig } from '../../../server/gateway/config';
import {
  GATEWAY_SETTINGS,
  openAdmissionsApi,
  spawnGateway,
  startGateway,
  type AdmissionsApi,
} from '../../support/gateway-process';
import { TEST_KEYS } from '../../support/sealed';
import { useTemporal } from '../../support/temporal';
import { until } from '../../support/until';
import { SERVICE } from './raw-site';
import { Stage } from './stage';

const temporal = useTemporal();
const stage = Stage.use(temporal);

const good = GATEWAY_SETTINGS;

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
      payloadKeys: TEST_KEYS,
      api: { url: 'http://127.0.0.1:7400', token: 'token' },
      logLevel: 'info',
      temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    });
  });

  it.each([
    [{ MUSTER_GATEWAY_TLS_CERT: '' }, /^MUSTER_GATEWAY_TLS_CERT is not set/],
    [{ MUSTER_GATEWAY_KEYS: 'short:abc' }, /^MUSTER_GATEWAY_KEYS must be id:key/],
    [{ MUSTER_GATEWAY_KEYS: `${good.MUSTER_GATEWAY_KEYS},new:${'A'.repeat(43)}` }, /each id once/],
    [{ MUSTER_PAYLOAD_KEYS: '' }, /^MUSTER_PAYLOAD_KEYS is not set: make one with/],
    [{ MUSTER_GATEWAY_PORT: 'high' }, /^MUSTER_GATEWAY_PORT must be a port number$/],
    [{ MUSTER_API_URL: 'api' }, /^MUSTER_API_URL must be an address/],
    [{ TEMPORAL_TLS_CERT: '/c', TEMPORAL_TLS_CA: '/a' }, /belong together/],
    [{ TEMPORAL_TLS_CERT: '/c', TEMPORAL_TLS_KEY: '/k' }, /^TEMPORAL_TLS_CA is not set/],
  ])('that are wrong are said in one line: %j', (wrong, line) => {
    expect(() => readGatewayConfig({ ...good, ...wrong })).toThrow(line);
  });
});

async function openApi(): Promise<AdmissionsApi> {
  const api = await openAdmissionsApi();
  temporal.onClose(() => api.close());
  return api;
}

it('who is cut off is known from the API, and stays so while it is away', async () => {
  const api = await openApi();
  const ending = new AbortController();
  const access = { ...api, name: 'centre-1:7410' };
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

describe('the process', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'muster-gateway-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('says what is wrong with its settings, and ends with 2', async () => {
    const child = spawnGateway({ ...good, MUSTER_API_TOKEN: '' });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([
      2,
      'MUSTER_API_TOKEN is not set: make one with `muster operator-token`, for the gateway\n',
    ]);
  });

  it('passes calls until it is told to end', async () => {
    const api = await openApi();
    const { child, port } = await startGateway(folder, { authority: stage.authority, api, temporal });
    temporal.onClose(() => child.kill('SIGKILL'));
    const site = await stage.connectRaw('boston', { port });
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
