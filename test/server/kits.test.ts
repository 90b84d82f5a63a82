/** What the API keeps of kits, what it tells a site of its own, and when it forgets all that. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { openContentKey } from '../../sealing/content-key';
import { readManifest } from '../../sealing/launch-manifest';
import { createKitKeys } from '../../server/runs/kit-keys';
import { kitKeys, runs } from '../../server/db/schema';
import { kitKey } from '../../workflows/contract';
import type { Certified } from '../support/certificates';
import { TEST_KEYS } from '../support/sealed';
import { kitsOf, publishKits, report, start } from './scenes';
import { central, problemOf } from './server';
import { useSiteApi } from './site-api';
import { LAUNCH, nodeView, runView, statusReport } from './views';

const NEXT_LAUNCH = 'launch000002';

describe('kits of sites', () => {
  const api = useSiteApi();
  const { server } = api;
  const path = (runId: string, launchId = LAUNCH) => `/api/runs/${runId}/launches/${launchId}/kits`;
  const tell = (runId: string, body: object, launchId = LAUNCH) =>
    api.call(`PUT ${path(runId, launchId)}`, { as: central, body });
  const members = new Map<string, Promise<Certified>>();
  /** The certificate of a site, which joins if it has not before. */
  function member(site: string): Promise<Certified> {
    const certified = members.get(site) ?? api.join(site);
    members.set(site, certified);
    return certified;
  }
  const ask = async (runId: string, site = 'alpha') =>
    api.as(await member(site)).getRunKit(runId, LAUNCH, site);
  const known = async (runId: string) =>
    (await server.db.select().from(kitKeys)).filter((row) => row.runId === runId);

  async function published(launchId = LAUNCH): Promise<string> {
    const runId = await start(server);
    await publishKits(server, { runId, launchId }, ['alpha', 'beta']);
    return runId;
  }
  async function sealed(runId: string, site = 'alpha') {
    const access = await ask(runId, site);
    return access.sealed!;
  }
  const open = async (jwe: string, site: string) =>
    openContentKey(jwe, createPrivateKey((await member(site)).key));
  const manifestIn = async (jws: string) => {
    const read = await readManifest(jws, createPublicKey(api.identity.signingKey.publicKey));
    if ('problem' in read) throw new Error(read.problem);
    return read.manifest;
  };

  describe('a site', () => {
    it('is told what its launch is, signed by the instance, for as long as the address of the kit is good', async () => {
      const runId = await published();
      const { computation, kits } = kitsOf(['alpha']);
      const { iat, exp, jti, ...said } = await manifestIn((await sealed(runId)).manifest);
      expect(said).toEqual({
        ...{ aud: 'alpha', runId, launchId: LAUNCH, dataset: 'birds' },
        consortium: { id: 'penguins', name: 'Penguins of the Palmer archipelago' },
        computation: { name: 'example', version: '1.0.0', digest: computation },
        kit: { key: kitKey(runId, LAUNCH, 'alpha'), sha256: kits[0]!.sha256, size: kits[0]!.size },
      });
      expect(exp - iat).toBe(300);
      expect(jti).not.toBe((await manifestIn((await sealed(runId)).manifest)).jti);
    });

    it('gets the key of its kit, which nobody else can open', async () => {
      const runId = await published();
      const { contentKey } = await sealed(runId);
      expect(await open(contentKey, 'alpha')).toEqual(Buffer.alloc(32, 'alpha'));
      expect(await open(contentKey, 'beta')).toBeUndefined();
    });

    it('gets it for the certificate that it shows, which may be another one by now', async () => {
      const runId = await published();
      await sealed(runId, 'beta');
      const renewed = await api.join('beta');
      const { sealed: again } = await api.as(renewed).getRunKit(runId, LAUNCH, 'beta');
      expect(await openContentKey(again!.contentKey, createPrivateKey(renewed.key))).toEqual(
        Buffer.alloc(32, 'beta'),
      );
      expect(await open(again!.contentKey, 'beta')).toBeUndefined();
    });

    it('is believed what the run was started as, and not what it says of itself since', async () => {
      const runId = await published();
      const view = runView(runId, 'running', {
        consortium: { id: 'ross', name: 'Ross' },
        computation: { name: 'other', version: '9' },
      });
      await report(server, statusReport(view, [], { at: Date.now() }));
      expect(await manifestIn((await sealed(runId)).manifest)).toMatchObject({
        consortium: { id: 'penguins' },
        computation: { name: 'example', version: '1.0.0' },
      });
    });

    it('waits while nothing is known of a run that was started in Temporal, and is told then what it reported', async () => {
      const runId = 'started-in-temporal';
      await publishKits(server, { runId, launchId: LAUNCH }, ['alpha']);
      await expect(ask(runId)).rejects.toMatchObject({
        ...{ status: 503, problem: { type: 'urn:muster:problem:run-unreported' } },
      });
      await report(server, statusReport(runView(runId, 'launching'), [], { at: 1 }));
      expect(await manifestIn((await sealed(runId)).manifest)).toMatchObject({
        consortium: { id: 'penguins', name: 'Penguins' },
        dataset: 'birds',
      });
    });
  });

  describe('the central worker', () => {
    it('tells of them as often as it likes, but not of others', async () => {
      const runId = await published();
      expect((await tell(runId, kitsOf(['alpha', 'beta']))).statusCode).toBe(204);
      const { computation, kits } = kitsOf(['alpha', 'beta']);
      const [alpha, beta] = kits;
      for (const other of [
        [alpha],
        [alpha, beta, { ...beta, node: 'gamma' }],
        [alpha, { ...beta, key: 'A'.repeat(43) }],
        [alpha, { ...beta, sha256: '0'.repeat(64) }],
        [alpha, { ...beta, size: 1 }],
      ])
        expect([409, 400]).toContain((await tell(runId, { computation, kits: other })).statusCode);
      expect(await open((await sealed(runId, 'beta')).contentKey, 'beta')).toEqual(Buffer.alloc(32, 'beta'));
      expect(await known(runId)).toHaveLength(2);
    });

    it('cannot make the run another one than was started', async () => {
      const runId = await start(server);
      const { computation, kits } = kitsOf(['alpha']);
      for (const [body, detail] of [
        [{ computation: '0'.repeat(64), kits }, 'its computation is another one'],
        [{ computation, kits: [{ ...kits[0], dataset: 'all' }] }, 'alpha is to work on all'],
        [{ computation, kits: [{ ...kits[0], node: 'gamma' }] }, 'gamma is to work on birds'],
      ] as const) {
        const problem = problemOf(await tell(runId, body));
        expect(problem).toMatchObject({ status: 409, type: 'urn:muster:problem:run-differs' });
        expect(problem.detail).toContain(detail);
      }
      expect(await known(runId)).toEqual([]);
    });
  });

  describe('the keys', () => {
    it('are not in the database but sealed, and opened by every key that there is', async () => {
      const runId = await published();
      const rows = JSON.stringify(await known(runId));
      for (const encoding of ['base64url', 'base64', 'hex'] as const)
        expect(rows).not.toContain(Buffer.alloc(32, 'alpha').toString(encoding).slice(0, 40));
      const [old] = TEST_KEYS;
      const [fresh] = [{ id: 'fresh', secret: Buffer.alloc(32, 6) }];
      const launch = { runId, launchId: LAUNCH, node: 'alpha' };
      const rotated = createKitKeys({ db: server.db, payloadKeys: [fresh, old] });
      expect((await rotated.get(launch)).key).toEqual(Buffer.alloc(32, 'alpha'));
      const without = createKitKeys({ db: server.db, payloadKeys: [fresh] });
      await expect(without.get(launch)).rejects.toThrow('There is no kit for alpha');
    });

    it('are forgotten when the kits are removed, those of other launches not', async () => {
      const runId = await published();
      await publishKits(server, { runId, launchId: NEXT_LAUNCH }, ['alpha']);
      for (let times = 0; times < 2; times += 1) {
        const removed = await api.call(`DELETE ${path(runId)}`, { as: central });
        expect(removed.statusCode).toBe(204);
      }
      expect((await known(runId)).map(({ launchId }) => launchId)).toEqual([NEXT_LAUNCH]);
      await expect(ask(runId)).rejects.toMatchObject({ status: 404 });
    });

    it('are forgotten when the run has ended, and not taken in any more', async () => {
      const runId = await published();
      await report(server, statusReport(runView(runId, 'running'), [], { at: 1 }));
      expect(await known(runId)).toHaveLength(2);
      await report(server, statusReport(runView(runId, 'failed'), [], { at: 2 }));
      expect(await known(runId)).toEqual([]);
      expect(problemOf(await tell(runId, kitsOf(['alpha', 'beta'])))).toMatchObject({
        ...{ status: 409, detail: `Launch ${LAUNCH} of run ${runId} is failed.` },
      });
    });

    it('are forgotten when another launch follows', async () => {
      const runId = await published();
      await report(server, statusReport(runView(runId, 'running'), [], { at: 1 }));
      await publishKits(server, { runId, launchId: NEXT_LAUNCH }, ['alpha']);
      const next = statusReport(runView(runId, 'running', { launchId: NEXT_LAUNCH }), [], { at: 2, seq: 2 });
      await report(server, next);
      expect((await known(runId)).map(({ launchId }) => launchId)).toEqual([NEXT_LAUNCH]);
    });

    it('of a site that begins anew are forgotten with its own launch', async () => {
      const runId = await published();
      await publishKits(server, { runId, launchId: NEXT_LAUNCH }, ['alpha']);
      const retry = { launchId: NEXT_LAUNCH, by: 'ada', at: 1 };
      const alpha = (state: 'running' | 'complete') => nodeView('alpha', state, { retry });
      await report(server, statusReport(runView(runId, 'running'), [alpha('running')], { at: 1 }));
      expect(await known(runId)).toHaveLength(3);
      await report(server, statusReport(runView(runId, 'running'), [alpha('complete')], { at: 2, seq: 2 }));
      expect((await known(runId)).map(({ launchId }) => launchId)).toEqual([LAUNCH, LAUNCH]);
    });

    it('of a run that was terminated are forgotten once that is found out', async () => {
      const runId = await published();
      await server.temporal.client.workflow.getHandle(runId).terminate();
      const longAgo = { at: 1 };
      await report(server, statusReport(runView(runId, 'running', { launchId: undefined }), [], longAgo));
      await server.db.update(runs).set({ updatedAt: 0 });
      expect((await server.call(`GET /api/runs/${runId}`)).statusCode).toBe(200);
      expect(await known(runId)).toEqual([]);
    });
  });
});
