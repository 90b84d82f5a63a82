/** Which site gateways there are: as the API hears them, also gateways that are real processes. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { gatewayName } from '../../server/gateway/admissions';
import { createGateways, FORGOTTEN_AFTER_MS } from '../../server/sites/gateways';
import { AWAY_AFTER_MS, createPresence } from '../../server/sites/presence';
import type { AccessClaims } from '../../workflows/api-contract';
import { GatewayList } from '../../workflows/identity-contract';
import { startGateway } from '../support/gateway-process';
import { useFolder } from '../support/folder';
import { until } from '../support/until';
import { describeOnEachDatabase, silent } from './databases';
import { callOn, problemOf, tokenFor } from './server';
import { useSiteApi } from './site-api';

const gateway: AccessClaims = { role: 'gateway', sub: 'gateway-1' };

describe('the name of a gateway', () => {
  it.each([
    ['centre-1.example.org', 'centre-1.example.org:7410'],
    ['an odd näme', 'an-odd-n-me:7410'],
    ['', 'localhost:7410'],
  ])('on %j is %s', (host, name) => {
    expect(gatewayName(host, 7410)).toBe(name);
  });
});

describeOnEachDatabase('the site gateways', (kind) => {
  const api = useSiteApi(kind);
  const folder = useFolder();
  const list = async (app = api.app) =>
    GatewayList.parse((await callOn(app, 'GET /api/gateways')).json()).gateways;
  const ask = (name: string) =>
    api.call(`GET /api/gateway/admissions${name && `?gateway=${name}`}`, { as: gateway });
  const leave = (name: string) => api.call(`DELETE /api/gateways/${name}`, { as: gateway });

  /** What an API process hears that listens since then. */
  function listening(since = Date.now()) {
    const time = { now: since };
    const clock = () => time.now;
    const { db } = api.server;
    return {
      time,
      gateways: createGateways({ db, presence: createPresence({ db, clock }), log: silent, clock }),
    };
  }

  it('are none before one has asked, and none that does not say which it is', async () => {
    expect(await list()).toEqual([]);
    expect((await ask('')).statusCode).toBe(200);
    expect(await list()).toEqual([]);
  });

  it('are each there from when it asks until it says that it ends, for all processes of the API', async () => {
    const before = Date.now();
    await ask('b:1');
    await ask('a:1');
    const elsewhere = await api.server.startReplica();
    expect(await list(elsewhere)).toMatchObject([
      { name: 'a:1', presence: 'here' },
      { name: 'b:1', presence: 'here' },
    ]);
    const [first] = await list();
    expect(first?.seenAt).toBeGreaterThanOrEqual(before);
    expect((await leave('a:1')).statusCode).toBe(204);
    expect((await leave('a:1')).statusCode).toBe(204);
    expect((await list()).map(({ name }) => name)).toEqual(['b:1']);
    await leave('b:1');
  });

  it('are away once they have been silent for long, and forgotten in the end', async () => {
    const { time, gateways } = listening();
    await gateways.hear('a:1');
    const seenAt = time.now;
    const first = { name: 'a:1', seenAt };
    time.now += AWAY_AFTER_MS - 1;
    expect(await gateways.list()).toEqual({ gateways: [{ ...first, presence: 'here' }], at: time.now });
    time.now += 1;
    expect(await gateways.list()).toEqual({ gateways: [{ ...first, presence: 'away' }], at: time.now });
    time.now = seenAt + FORGOTTEN_AFTER_MS + 1;
    expect((await gateways.list()).gateways).toEqual([]);
  });

  it('are not known of by an API that has only just begun to listen, until they had the time to ask', async () => {
    const before = listening();
    await before.gateways.hear('a:1');
    const { time, gateways } = listening(before.time.now + AWAY_AFTER_MS);
    const presence = async () => (await gateways.list()).gateways.map((one) => one.presence);
    expect(await presence()).toEqual(['unknown']);
    time.now += AWAY_AFTER_MS;
    expect(await presence()).toEqual(['away']);
    await gateways.hear('a:1');
    expect(await presence()).toEqual(['here']);
    await gateways.remove('a:1');
  });

  it('are still told whom to refuse when it cannot be written down that they are there', async () => {
    const { gateways } = listening();
    await expect(gateways.hear('\0')).resolves.toBeUndefined();
  });

  it('have names that are a host and a port', async () => {
    expect(problemOf(await ask('nobody')).status).toBe(400);
    expect(problemOf(await leave('no%20body')).status).toBe(400);
  });

  it('are missed when they are killed, and not when they end', async () => {
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
    const where = {
      ...{ authority: api.authority, temporal: api.server.temporal },
      api: { url, token: await tokenFor(gateway) },
    };
    const { time, gateways } = listening();
    const name = gatewayName(hostname(), 0);
    const killed = await startGateway(folder, where);
    expect(await list()).toMatchObject([{ name, presence: 'here' }]);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    time.now = Date.now() + AWAY_AFTER_MS;
    expect((await gateways.list()).gateways).toMatchObject([{ name, presence: 'away' }]);
    const ended = await startGateway(folder, where);
    await until(async () => (await list()).every(({ presence }) => presence === 'here'));
    ended.child.kill('SIGTERM');
    await expect(once(ended.child, 'close')).resolves.toEqual([0, null]);
    expect(await list()).toEqual([]);
  });
});
