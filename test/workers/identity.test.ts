import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import * as fc from 'fast-check';
import { X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { createCentralApi } from '../../client/central-api';
import { readIdentity, writeIdentity } from '../../client/identity-folder';
import { joinSite } from '../../cli/site-join';
import { sealContentKey } from '../../sealing/content-key';
import { moveTo, renewalOf, WorkerIdentity } from '../../workers/identity';
import { SettingsError } from '../../workers/settings';
import { useSiteApi } from '../server/site-api';
import { startConnectProxy } from '../support/connect-proxy';
import { useFolder } from '../support/folder';
import { testHistories } from '../support/sealed';
import { startTlsFront } from '../support/tls-front';
import type { steadyWork } from './rotation-workflow';

const DAY_MS = 86_400_000;
const silent = pino({ level: 'silent' });

describe('who an edge worker is', () => {
  const api = useSiteApi();
  const folder = join(useFolder(), 'biscoe');
  const never = new AbortController().signal;
  let now: () => number;
  const serial = async () =>
    new X509Certificate((await readIdentity(folder)).certificate).serialNumber.toLowerCase();
  const open = (env: Record<string, string> = {}) =>
    WorkerIdentity.open({ folder, apiUrl: api.url, log: silent, env, clock: () => now() });
  const say = (identity: WorkerIdentity) =>
    createCentralApi({ url: api.url, fetch: identity.fetch }).reportPresence('biscoe', {
      ...{ state: 'here' as const, runtimes: [], version: '1' },
    });
  async function joinAnew(siteId = 'biscoe'): Promise<void> {
    const { code } = await api.invite(siteId);
    await joinSite(api.url, code, { dir: folder, force: true }, {});
  }

  beforeEach(async () => {
    now = Date.now;
    await rm(folder, { recursive: true, force: true });
    await joinAnew();
  });

  it('is what the folder says, to the API as well', async () => {
    const identity = await open();
    expect(identity.siteId).toBe('biscoe');
    expect(identity.instanceKey).toBe(api.identity.signingKey.publicKey);
    expect(Math.round((identity.notAfter - Date.now()) / DAY_MS)).toBe(30);
    await say(identity);
    await identity.close();
  });

  it('must be known when the worker starts, and not be over', async () => {
    now = () => Date.now() + 31 * DAY_MS;
    await expect(open()).rejects.toThrow('The certificate of biscoe has expired: join again');
    await rm(join(folder, 'site.key'));
    await expect(open()).rejects.toThrow(SettingsError);
  });

  it('is renewed when two thirds of its time have passed, and not before', async () => {
    const identity = await open();
    const first = await serial();
    expect(await identity.look(never)).toBe(false);
    now = () => Date.now() + 19 * DAY_MS;
    expect(await identity.look(never)).toBe(false);
    expect(await serial()).toBe(first);
    now = () => Date.now() + 21 * DAY_MS;
    expect(await identity.look(never)).toBe(true);
    expect(await serial()).not.toBe(first);
    await say(identity);
    expect((await open()).notAfter).toBe(identity.notAfter);
    await identity.close();
  });

  it('goes on while the API is away, and is told to whoever waits for it when it is there', async () => {
    const away = await WorkerIdentity.open({
      ...{ folder, apiUrl: 'https://127.0.0.1:1', log: silent, env: {} },
      clock: () => Date.now() + 21 * DAY_MS,
    });
    const first = await serial();
    await expect(away.look(never)).rejects.toThrow('No answer from the central API');
    expect(await serial()).toBe(first);

    now = () => Date.now() + 21 * DAY_MS;
    const identity = await open();
    const stopping = new AbortController();
    const told: string[] = [];
    await identity.keepRenewed(stopping.signal, async () => {
      told.push(await serial());
      stopping.abort();
    });
    expect(told).toEqual([await serial()]);
    expect(told).not.toEqual([first]);
  });

  it('takes up that the site has joined anew, and nothing of another site', async () => {
    const identity = await open();
    const before = identity.notAfter;
    await api.call('POST /api/sites/biscoe/revoke', { body: { reason: 'a test' } });
    await expect(say(identity)).rejects.toThrow('The certificate of biscoe was revoked.');
    await joinAnew();
    expect(await identity.look(never)).toBe(true);
    await say(identity);
    expect(identity.notAfter).toBeGreaterThanOrEqual(before);
    await rm(folder, { recursive: true });
    await joinAnew('dream');
    await expect(identity.look(never)).rejects.toThrow(`${folder} is of the site dream now`);
    await say(identity);
  });

  it('opens what was sealed to its certificate, also to the one before if that was asked with', async () => {
    const identity = await open();
    const sealedNow = async () => {
      const { certificate } = await readIdentity(folder);
      return sealContentKey(Buffer.alloc(32, 7), new X509Certificate(certificate).publicKey);
    };
    const before = await sealedNow();
    expect(await identity.openSealed(before)).toEqual(Buffer.alloc(32, 7));
    now = () => Date.now() + 21 * DAY_MS;
    await identity.look(never);
    for (const sealed of [before, await sealedNow()])
      expect(await identity.openSealed(sealed)).toEqual(Buffer.alloc(32, 7));
    const { cert } = await api.join('dream');
    const ofOther = await sealContentKey(Buffer.alloc(32, 7), new X509Certificate(cert).publicKey);
    expect(await identity.openSealed(ofOther)).toBeUndefined();
    await identity.close();
  });

  it('does not take another signing key than it had when the site joined', async () => {
    await writeIdentity(folder, { instanceKey: 'the one from then' });
    now = () => Date.now() + 21 * DAY_MS;
    const identity = await open();
    expect(await identity.look(never)).toBe(true);
    expect(identity.instanceKey).toBe('the one from then');
    expect((await readIdentity(folder)).instanceKey).toBe('the one from then');
  });

  it('is renewed after two thirds of any time', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1 }), (notBefore, lifetime) => {
        const at = renewalOf({ notBefore, notAfter: notBefore + lifetime });
        expect(at).toBeGreaterThan(notBefore);
        expect(at).toBeLessThan(notBefore + lifetime);
      }),
    );
  });

  it('reaches the gateway through the proxy that the environment names', async () => {
    const { proxy } = (await open({ HTTPS_PROXY: 'http://me:pass%20word@proxy.org:3128' })).connectionOptions(
      'gateway.org:7410',
    );
    expect(proxy).toEqual({
      ...{ type: 'http-connect', targetHost: 'proxy.org:3128' },
      basicAuth: { username: 'me', password: 'pass word' },
    });
    const identity = await open({ HTTPS_PROXY: 'https://proxy.org', NO_PROXY: 'gateway.org,127.0.0.1' });
    expect(identity.connectionOptions('gateway.org:7410')).not.toHaveProperty('proxy');
    expect(() => identity.connectionOptions('other.org:7410')).toThrow(SettingsError);
  });

  it('changes under a worker at work, which loses nothing', async () => {
    const { temporal } = api.server;
    const { cert, key } = await api.authority.issueServer();
    const front = await startTlsFront(temporal.address, { cert, key }, api.siteCa.cert);
    const proxy = await startConnectProxy();
    const identity = await open({ HTTPS_PROXY: proxy.url });
    const connect = () => NativeConnection.connect(identity.connectionOptions(front.address));

    const started: number[] = [];
    const worker = await Worker.create({
      ...{ connection: await connect(), namespace: temporal.namespace, taskQueue: 'site.biscoe' },
      maxConcurrentActivityTaskPolls: 1,
      dataConverter: testHistories,
      activities: {
        async step(at: number) {
          started.push(at);
          // In the middle of a piece of work, and again between two of them.
          if (at === 3 || at === 6) {
            now = () => Date.now() + 21 * DAY_MS;
            await identity.look(never);
            await moveTo(await connect(), [worker]);
          }
          return at;
        },
      },
    });
    const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('./rotation-workflow') });
    await temporal.startWorker({ taskQueue: 'steady', workflowBundle: { code } });
    const running = worker.run();
    const result = await temporal.client.workflow.execute<typeof steadyWork>('steadyWork', {
      ...{ taskQueue: 'steady', workflowId: 'steady-work', args: ['site.biscoe', 10] },
    });
    expect(result).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(started).toEqual(result);
    expect(new Set(front.shown).size).toBeGreaterThanOrEqual(2);
    expect(front.shown.at(-1)).toBe(await serial());
    expect(proxy.asked).toContain(front.address);
    worker.shutdown();
    await running;
    await worker.connection?.close();
    await front.close();
    await proxy.close();
  });
});
