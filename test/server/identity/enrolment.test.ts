import { X509Certificate } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { ApiProblem } from '../../../client';
import type { CentralApi } from '../../../client/central-api';
import { newSiteKey } from '../../../client/site-key';
import { createTransport } from '../../../client/site-transport';
import { siteCertificates, siteEnrolments } from '../../../server/db/schema';
import { createEnrolment } from '../../../server/identity/enrolment';
import { readCode, writeCode } from '../../../workflows/enrolment-code';
import { Admissions, RevokedSite, SiteInvitation } from '../../../workflows/identity-contract';
import { Problem, SiteList, type AccessClaims, type PresenceBody } from '../../../workflows/api-contract';
import { createTestAuthority, newRequest } from '../../support/certificates';
import { describeOnEachDatabase, silent } from '../databases';
import { register } from '../scenes';
import { admin, callOn, central, lead, person, problemOf, tokenFor, type Bearer } from '../server';
import { GATEWAY, useSiteApi } from '../site-api';

const PRESENCE: PresenceBody = { state: 'here', runtimes: [], version: '1' };
const gateway: AccessClaims = { role: 'gateway', sub: 'gateway-1' };

/** What a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => 'it was not refused',
    (reason: unknown) => reason,
  );
  if (error instanceof ApiProblem) return error.problem?.type.replace('urn:muster:problem:', '') ?? '';
  return String(error);
}

describeOnEachDatabase('a site', (kind) => {
  const api = useSiteApi(kind);
  const presence = (as: CentralApi, siteId: string) => as.reportPresence(siteId, PRESENCE);
  const joinWith = async (siteId: string, code: string) =>
    api.as().joinSite(siteId, { code, csr: (await newSiteKey(siteId)).csr });
  const revoke = async (siteId: string, as: Bearer = admin, reason = 'stolen') =>
    api.call(`POST /api/sites/${siteId}/revoke`, { as, body: { reason } });

  describe('that joins', () => {
    it('gets a certificate for its code, and by it what is for sites', async () => {
      const { code, siteApiUrl, expiresAt } = await api.invite('biscoe');
      expect(siteApiUrl).toBe(api.url);
      expect(Math.round((expiresAt - Date.now()) / 3_600_000)).toBe(24);
      const { key, csr } = await newRequest({ name: [{ CN: ['dream'] }] });
      const got = await api.as().joinSite('biscoe', { code, csr });
      expect(got).toMatchObject({
        ...{ siteApiUrl: api.url, gatewayAddress: GATEWAY, ca: api.authority.cert },
        instanceKey: api.identity.signingKey.publicKey,
      });
      expect(new X509Certificate(got.certificate).subject).toBe('CN=biscoe');
      expect(new X509Certificate(got.certificate).ca).toBe(false);
      await presence(api.as({ cert: got.certificate, key }), 'biscoe');
    });

    it('knows the API by its code alone', async () => {
      const { code } = await api.invite('biscoe');
      expect(Buffer.from(readCode(code)?.pin ?? [])).toEqual(api.authority.pin);
      expect((await api.as().getSiteAuthority()).ca).toBe(api.authority.cert);
    });

    it('uses its code once, also if it is used twice at the same time', async () => {
      const { code } = await api.invite('twice');
      const both = await Promise.all([1, 2].map(() => refusal(joinWith('twice', code))));
      expect(both.sort()).toEqual(['code-used', 'it was not refused']);
      expect(await refusal(joinWith('twice', code))).toBe('code-used');
    });

    it('keeps its code when its request cannot be used', async () => {
      const { code } = await api.invite('weak');
      const { csr } = await newRequest({
        algorithm: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
      });
      expect(await refusal(api.as().joinSite('weak', { code, csr }))).toBe('invalid-certificate-request');
      await joinWith('weak', code);
    });

    it('is told the same of every wrong code, and nothing of whether there is such a site', async () => {
      const { code } = await api.invite('gamma');
      await api.invite('other');
      const read = readCode(code)!;
      const guess = writeCode({ ...read, secret: Buffer.alloc(16, 1) });
      const stranger = writeCode({ ...read, siteId: 'nobody' });
      const answers = [
        await api.call('POST /api/sites/gamma/certificate', {
          body: { code: guess, csr: (await newRequest()).csr },
        }),
        ...(await Promise.all(
          [
            ['other', code],
            ['other', writeCode({ ...read, siteId: 'other' })],
            ['nobody', stranger],
            ['gamma', 'hello'],
          ].map(async ([id, text]) =>
            api.call(`POST /api/sites/${id}/certificate`, {
              body: { code: text, csr: (await newRequest()).csr },
            }),
          ),
        )),
      ];
      const [first, ...others] = answers.map((answer) => problemOf(answer));
      expect(first?.type).toBe('urn:muster:problem:invalid-code');
      for (const other of others) expect(other).toEqual(first);
      await joinWith('gamma', code);
    });

    it('has a time to do so, and one good code at a time', async () => {
      const late = await api.invite('late');
      const { db } = api.server;
      await db.update(siteEnrolments).set({ expiresAt: Date.now() }).where(eq(siteEnrolments.siteId, 'late'));
      expect(await refusal(joinWith('late', late.code))).toBe('code-expired');
      const again = await api.invite('late');
      expect(await refusal(joinWith('late', late.code))).toBe('invalid-code');
      await joinWith('late', again.code);
    });

    it('leaves nothing in the database or the log by which another could join', async () => {
      const { code } = await api.invite('secret');
      const { secret } = readCode(code)!;
      await joinWith('secret', code);
      const kept = JSON.stringify(await api.server.db.select().from(siteEnrolments));
      const letters = code.split('.')[1]!;
      for (const form of [
        Buffer.from(secret).toString('hex'),
        letters,
        letters.replaceAll('-', '').slice(0, 25),
      ]) {
        expect(kept).not.toContain(form);
        expect(api.server.log).not.toContain(form);
      }
      expect(api.server.log).toContain('"msg":"a site joined"');
    });

    it('is made to wait when wrong codes are tried again and again', async () => {
      const replica = await api.server.startReplica({ identity: api.identity });
      const { csr } = await newSiteKey('guessed');
      const attempt = (code: string, siteId = 'guessed') =>
        callOn(replica, `POST /api/sites/${siteId}/certificate`, { body: { code, csr } });
      // A code that is good is not counted.
      for (let joined = 0; joined < 25; joined += 1)
        expect((await attempt((await api.invite('guessed')).code)).statusCode).toBe(200);
      const tries = await Promise.all(Array.from({ length: 25 }, () => attempt('x')));
      const refused = tries.filter(({ statusCode }) => statusCode === 429);
      expect(refused.length).toBeGreaterThan(0);
      expect(problemOf(refused[0]!).detail).toMatch(/^Too many tries: the next is looked at in \d+ s\.$/);
      expect((await attempt('x', 'another')).statusCode).toBe(429);
    });

    it('must ask in the agreed form', async () => {
      const answer = await api.call('POST /api/sites/gamma/certificate', { body: { code: 1, csr: 'x' } });
      expect(problemOf(answer)).toMatchObject({
        status: 400,
        errors: [{ pointer: '/code' }, { pointer: '/csr', detail: 'must be a certificate request (PEM)' }],
      });
    });
  });

  describe('that has joined', () => {
    it('is known by its certificate, and speaks for itself only', async () => {
      const [alpha, beta] = [api.as(await api.join('alpha')), api.as(await api.join('beta'))];
      await presence(alpha, 'alpha');
      await presence(beta, 'beta');
      expect(await refusal(presence(alpha, 'beta'))).toBe('forbidden');
      const launchId = 'abcdefghijkl';
      const error = { node: 'beta', phase: 'running' as const, type: 'X', message: 'y' };
      expect(
        await refusal(alpha.reportErrorEdge('a-run', { launchId, error, retrying: false, at: 1 })),
      ).toMatch(/forbidden|unknown-run/);
    });

    it('is refused by the certificate of anyone else', async () => {
      const stranger = await createTestAuthority();
      const { siteCa } = api;
      const as = async (certified: Parameters<typeof api.as>[0]) =>
        refusal(presence(api.as(certified), 'alpha'));
      expect(await as(undefined)).toBe('certificate-needed');
      expect(await as(await stranger.issueSite('alpha'))).toBe('certificate-refused');
      expect(await as(await siteCa.issueSite('alpha', { from: -7_200_000, until: -3_600_000 }))).toBe(
        'certificate-expired',
      );
      expect(await as(await siteCa.issueSite('alpha', { from: 3_600_000, until: 7_200_000 }))).toBe(
        'certificate-refused',
      );
      expect(await as(await siteCa.issueServer())).toBe('certificate-refused');
      // Well made, and never given to anyone.
      expect(await as(await siteCa.issueSite('alpha'))).toBe('certificate-refused');
    });

    it('is refused by another certificate of the same number', async () => {
      const { cert } = await api.join('owner');
      const serialNumber = new X509Certificate(cert).serialNumber.toLowerCase();
      const twin = await api.siteCa.issueSite('thief', { serialNumber });
      expect(await refusal(presence(api.as(twin), 'thief'))).toBe('certificate-refused');
    });

    it('finds behind its door what is for sites, and nothing else', async () => {
      const certified = await api.join('curious');
      const { fetch, close } = createTransport(api.url, { ca: api.authority.cert, ...certified }, {});
      const get = async (path: string) =>
        (await fetch(api.url + path, { method: 'GET', headers: {} })).status;
      for (const path of [
        '/healthz',
        '/readyz',
        '/openapi.json',
        '/reference',
        '/',
        '/api/runs',
        '/api/sites',
      ])
        expect([path, await get(path)]).toEqual([path, 404]);
      await close();
    });

    it('needs its certificate: tokens open nothing there', async () => {
      const { fetch, close } = createTransport(api.url, { ca: api.authority.cert }, {});
      const answer = await fetch(`${api.url}/api/sites/alpha/presence`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await tokenFor(admin)}`, 'content-type': 'application/json' },
        body: JSON.stringify(PRESENCE),
      });
      expect(answer.status).toBe(403);
      expect(Problem.parse(JSON.parse(await answer.text())).type).toBe(
        'urn:muster:problem:certificate-needed',
      );
      await close();
    });

    it('renews its certificate by the one it has, which stays good', async () => {
      const first = await api.join('renewing');
      const { key, csr } = await newSiteKey('somebody-else');
      const next = await api.as(first).renewCertificate({ csr });
      expect(new X509Certificate(next.certificate).subject).toBe('CN=renewing');
      await presence(api.as({ cert: next.certificate, key }), 'renewing');
      await presence(api.as(first), 'renewing');
      expect(await refusal(api.as().renewCertificate({ csr }))).toBe('certificate-needed');
    });

    it('may stay connected, and is refused all the same when its certificate has run out', async () => {
      const certified = await api.join('long');
      const connected = api.as(certified);
      await presence(connected, 'long');
      const { siteCa, pin } = api.identity;
      const clock = () => Date.now() + 31 * 86_400_000;
      const later = createEnrolment({ db: api.server.db, siteCa, pin, log: silent, clock });
      const serial = new X509Certificate(certified.cert).serialNumber.toLowerCase();
      const [row] = await api.server.db
        .select()
        .from(siteCertificates)
        .where(eq(siteCertificates.serial, serial));
      await expect(later.check(row!)).rejects.toThrow('The certificate of long has expired.');
      expect(await later.revoked()).toEqual([]);
    });
  });

  describe('that is revoked', () => {
    it('is refused at once, with all that it had, until it joins again', async () => {
      const first = await api.join('gone');
      const connected = api.as(first);
      const { key, csr } = await newSiteKey('gone');
      const second = { cert: (await connected.renewCertificate({ csr })).certificate, key };
      await presence(api.as(second), 'gone');
      const { code } = await api.invite('gone');
      expect(RevokedSite.parse((await revoke('gone')).json())).toEqual({ siteId: 'gone', certificates: 2 });
      for (const as of [connected, api.as(second)]) {
        expect(await refusal(presence(as, 'gone'))).toBe('certificate-revoked');
        expect(await refusal(as.renewCertificate({ csr }))).toBe('certificate-revoked');
      }
      expect(await refusal(joinWith('gone', code))).toBe('invalid-code');
      await presence(api.as(await api.join('gone')), 'gone');
      expect(await refusal(presence(connected, 'gone'))).toBe('certificate-revoked');
    });

    it('gets no certificate while it happens', async () => {
      const connected = api.as(await api.join('racing'));
      const renewals = Array.from({ length: 6 }, async () => {
        const { csr, key } = await newSiteKey('racing');
        return connected.renewCertificate({ csr }).then(
          ({ certificate: cert }) => ({ cert, key }),
          () => undefined,
        );
      });
      await revoke('racing');
      for (const renewed of await Promise.all(renewals))
        if (renewed) expect(await refusal(presence(api.as(renewed), 'racing'))).toBe('certificate-revoked');
    });

    it('is named to the gateway, which asks again only for what has changed', async () => {
      const { cert } = await api.join('listed');
      const serial = new X509Certificate(cert).serialNumber.toLowerCase();
      const ask = (etag?: string) =>
        api.call('GET /api/gateway/admissions', {
          as: gateway,
          ...(etag !== undefined && { headers: { 'if-none-match': etag } }),
        });
      const before = await ask();
      expect(Admissions.parse(before.json()).revoked).not.toContain(serial);
      const etag = String(before.headers.etag);
      expect((await ask(etag)).statusCode).toBe(304);
      await revoke('listed');
      const after = await ask(etag);
      expect(after.statusCode).toBe(200);
      expect(Admissions.parse(after.json()).revoked).toContain(serial);
      for (const as of [admin, central, lead()])
        expect(problemOf(await api.call('GET /api/gateway/admissions', { as })).status).toBe(403);
    });

    it('was added before, and there is a reason', async () => {
      expect(problemOf(await revoke('never')).type).toBe('urn:muster:problem:unknown-site');
      expect(problemOf(await revoke('gone', admin, ' ')).status).toBe(400);
    });
  });

  describe('is answered for', () => {
    const add = async (id: string, as: Bearer) =>
      (await api.call('POST /api/sites', { as, body: { id } })).statusCode;

    beforeAll(async () => {
      const names = (...ids: string[]) => ({ sites: ids.map((id) => ({ id, name: id, dataset: 'birds' })) });
      await register(api.server, 'seals', names('s-own', 's-shared'));
      await register(api.server, 'whales', names('s-shared', 's-other'));
    });

    it('by an admin, and by a lead who added it as far as no other lead works with it', async () => {
      expect(await add('s-own', lead('seals'))).toBe(201);
      expect(await add('s-new', lead('seals'))).toBe(201);
      expect(await add('s-shared', lead('seals', 'whales'))).toBe(201);
      expect(await add('s-shared', lead('seals'))).toBe(403);
      expect(await add('s-other', lead('seals'))).toBe(403);
      expect(await add('s-other', admin)).toBe(201);
      for (const as of [central, gateway]) expect(await add('s-own', as)).toBe(403);
      const stranger = { ...lead('seals'), sub: 'somebody-else@example.org' };
      expect(await add('s-new', stranger)).toBe(403);
      expect((await revoke('s-new', stranger)).statusCode).toBe(403);
      expect((await revoke('s-shared', lead('seals'))).statusCode).toBe(403);
      expect((await revoke('s-own', lead('seals'))).statusCode).toBe(200);
    });

    it('by nobody for having named it in a consortium of their own', async () => {
      const finder = person('finder@example.org');
      expect(await add('s-found', finder)).toBe(201);
      const sites = [{ id: 's-found', name: 'Found', dataset: 'birds' }];
      await register(api.server, 'takers', { sites });
      expect(await add('s-found', lead('takers'))).toBe(403);
      expect((await revoke('s-found', lead('takers'))).statusCode).toBe(403);
      // Nor does who found it answer for what others lead.
      expect(await add('s-found', finder)).toBe(403);
    });

    it('by its own administrators alone once it has any', async () => {
      const own = person('own@example.org', { sites: ['s-tended'] });
      expect(await add('s-tended', lead('seals'))).toBe(201);
      expect(await add('s-tended', own)).toBe(201);
      expect(await add('s-tended', lead('seals'))).toBe(403);
      expect(await add('s-own', own)).toBe(403);
      expect((await revoke('s-tended', lead('seals'))).statusCode).toBe(403);
      expect((await revoke('s-tended', own)).statusCode).toBe(200);
    });

    it('is seen by who added it until others administer it, and says what they may do', async () => {
      const seen = async (id: string, as: Bearer) =>
        (await api.call(`GET /api/sites/${id}`, { as })).json<{ site?: object; mayEnrol?: boolean }>();
      const listed = async (as: Bearer) =>
        SiteList.parse((await api.call('GET /api/sites', { as })).json()).sites.map(({ id }) => id);
      const adder = person('adder@example.org');
      await add('s-added', adder);
      expect(await listed(adder)).toEqual(['s-added']);
      expect(await seen('s-added', adder)).toMatchObject({
        ...{ mayEnrol: true, asks: [], site: { id: 's-added', standing: { state: 'invited' } } },
      });
      expect(await seen('s-added', person('else@example.org'))).not.toHaveProperty('site');
      const own = person('own@example.org', { sites: ['s-added'] });
      expect(await seen('s-added', own)).toMatchObject({ mayEnrol: true });
      expect(await listed(adder)).toEqual([]);
      expect(await seen('s-other', lead('seals'))).not.toHaveProperty('site');
      expect(await seen('s-shared', lead('seals'))).toMatchObject({ mayEnrol: false });
    });

    it('for a time that is not too long', async () => {
      const answer = await api.call('POST /api/sites', { body: { id: 's-own', hours: 2 } });
      const { expiresAt } = SiteInvitation.parse(answer.json());
      expect(Math.round((expiresAt - Date.now()) / 3_600_000)).toBe(2);
      expect(answer.headers['cache-control']).toBe('no-store');
      for (const hours of [0, 10_000])
        expect((await api.call('POST /api/sites', { body: { id: 's-own', hours } })).statusCode).toBe(400);
    });
  });

  it('is listed as it stands', async () => {
    const standing = async (siteId: string, as: Bearer = admin) => {
      const { sites } = SiteList.parse((await api.call('GET /api/sites', { as })).json());
      return sites.find(({ id }) => id === siteId)?.standing;
    };
    expect(await standing('listed-1')).toBeUndefined();
    const { expiresAt, code } = await api.invite('listed-1');
    expect(await standing('listed-1')).toEqual({ state: 'invited', at: expiresAt });
    const { notAfter } = await joinWith('listed-1', code);
    expect(await standing('listed-1')).toEqual({ state: 'joined', at: notAfter });
    await api.invite('listed-1');
    expect(await standing('listed-1')).toEqual({ state: 'joined', at: notAfter });
    await revoke('listed-1');
    expect(await standing('listed-1')).toMatchObject({ state: 'revoked' });
    expect(await standing('listed-1', lead('seals'))).toBeUndefined();
  });

  it('cannot join where there is no address for sites', async () => {
    const answer = await api.server.call('POST /api/sites', { body: { id: 'biscoe' } });
    expect(problemOf(answer)).toMatchObject({ status: 409, type: 'urn:muster:problem:no-enrolment' });
  });
});
