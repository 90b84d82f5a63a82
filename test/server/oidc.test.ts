/** Signing in at an OpenID provider: a real one, and one that does what a real one does not. */
import type { FastifyInstance } from 'fastify';
import getPort from 'get-port';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createOidc } from '../../server/people/oidc';
import { Invitation, Me, PersonList } from '../../workflows/people-contract';
import { problemOf, PUBLIC_URL, useServer } from './server';

const CLIENT = { clientId: 'muster', clientSecret: 'a secret of the tests', name: 'Our university' };
const CALLBACK = `${PUBLIC_URL}/api/sign-in/oidc/callback`;
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };
const ACCOUNTS = {
  ada: { name: 'Ada', email: 'Ada@example.org', email_verified: true },
  bea: { name: 'Bea', email: 'bea@example.org', email_verified: false },
  cleo: { name: 'Cleo' },
  dan: { name: 'Dan', email: 'dan@example.org', email_verified: true },
  eli: { name: 'Eli', email: 'eli@example.org', email_verified: true },
};

describe('signing in at an OpenID provider', () => {
  const server = useServer();
  let provider: ChildProcess;
  let app: FastifyInstance;

  beforeAll(async () => {
    const port = await getPort({ host: '127.0.0.1' });
    const { clientId, clientSecret } = CLIENT;
    const args = [String(port), clientId, clientSecret, CALLBACK, JSON.stringify(ACCOUNTS)];
    provider = spawn(process.execPath, [join(__dirname, '../support/oidc-provider.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(provider.stdout!, 'data');
    app = await server.startReplica({ oidc: { issuer: `http://127.0.0.1:${port}`, ...CLIENT } });
  });
  afterAll(async () => {
    provider.kill();
    await once(provider, 'exit');
  });

  const invite = async (body: object) =>
    Invitation.parse((await server.call('POST /api/invitations', { body })).json());
  const cookieOf = (answer: { headers: Record<string, unknown> }, name: string) =>
    [answer.headers['set-cookie']]
      .flat()
      .map((one) => new RegExp(`^${name}=[^;]+`).exec(String(one))?.[0])
      .find((one) => one !== undefined) ?? '';

  interface Begun {
    url: string;
    cookie: string;
  }
  async function begin(to = '/'): Promise<Begun> {
    const answer = await app.inject({ url: `/api/sign-in/oidc?to=${encodeURIComponent(to)}` });
    expect(answer.statusCode).toBe(302);
    return { url: String(answer.headers.location), cookie: cookieOf(answer, 'muster_oidc') };
  }
  async function beginWith(body: object, session = ''): Promise<Begun> {
    const answer = await app.inject({
      ...{ method: 'POST', url: '/api/sign-in/oidc', payload: body },
      headers: { ...OWN_PAGE, cookie: session },
    });
    expect(answer.statusCode).toBe(200);
    return { url: answer.json<{ url: string }>().url, cookie: cookieOf(answer, 'muster_oidc') };
  }

  /** What a browser does at the provider; answers where that sends it back to. */
  async function atProvider(url: string, who: string): Promise<string> {
    const jar = new Map<string, string>();
    let next = `${url}&login_hint=${who}`;
    for (let hops = 0; hops < 10 && !next.startsWith(CALLBACK); hops++) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(next, { redirect: 'manual', headers: { cookie } });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      next = new URL(answer.headers.get('location') ?? '', next).href;
    }
    expect(next).toContain(CALLBACK);
    return next;
  }
  /** As a browser does, which says that the provider's page sent it. */
  const comeBack = (url: string, cookie: string) =>
    app.inject({ url: url.slice(PUBLIC_URL.length), headers: { cookie, 'sec-fetch-site': 'cross-site' } });
  async function signIn(who: string, begun?: Begun, session = '') {
    const { url, cookie } = begun ?? (await begin());
    return comeBack(await atProvider(url, who), `${cookie}; ${session}`);
  }
  const me = async (cookie: string) =>
    Me.parse((await app.inject({ url: '/api/me', headers: { cookie } })).json());

  it('is offered where there is one, and only there', async () => {
    expect((await app.inject({ url: '/api/sign-in' })).json()).toEqual({
      local: true,
      oidc: { name: 'Our university', path: '/api/sign-in/oidc' },
    });
    expect((await server.call('GET /api/sign-in')).json()).toEqual({ local: true });
    expect(problemOf(await server.call('GET /api/sign-in/oidc')).status).toBe(404);
  });

  it('makes an account for whom an open invitation waits at an address that is theirs', async () => {
    expect((await signIn('ada')).headers.location).toBe(`${PUBLIC_URL}/sign-in?failed=unknown`);
    await invite({ email: 'ada@example.org', consortia: {}, sites: ['alpha'] });
    const answer = await signIn('ada', await begin('/runs/a?b=c'));
    expect([answer.statusCode, answer.headers.location]).toEqual([302, `${PUBLIC_URL}/runs/a?b=c`]);
    expect(await me(cookieOf(answer, 'muster_session'))).toMatchObject({
      ...{ name: 'Ada', email: 'ada@example.org', sites: ['alpha'], hasPassword: false },
    });
    // From now on without one.
    expect((await signIn('ada')).headers.location).toBe(`${PUBLIC_URL}/`);
    const { people } = PersonList.parse((await server.call('GET /api/people')).json());
    const ada = people.find(({ email }) => email === 'ada@example.org');
    expect(ada?.signsIn).toEqual(['provider']);
    await server.call(`PATCH /api/people/${ada?.id}`, { body: { disabled: true } });
    expect((await signIn('ada')).headers.location).toBe(`${PUBLIC_URL}/sign-in?failed=disabled`);
  });

  it('believes no address that the provider does not vouch for', async () => {
    await invite({ email: 'bea@example.org' });
    expect((await signIn('bea')).headers.location).toBe(`${PUBLIC_URL}/sign-in?failed=unknown`);
    const { code } = await invite({});
    expect((await signIn('cleo', await beginWith({ code }))).headers.location).toMatch(/failed=email$/);
    // Who has the link that was sent there is whom it is for.
    const { code: sent } = await invite({ email: 'cleo@example.org' });
    const answer = await signIn('cleo', await beginWith({ code: sent, to: '/x' }));
    expect(await me(cookieOf(answer, 'muster_session'))).toMatchObject({ email: 'cleo@example.org' });
    expect((await signIn('bea', await beginWith({ code: sent }))).headers.location).toMatch(
      /failed=invitation$/,
    );
  });

  it('does not get into an account that is there by its address, but connects one that asks for it', async () => {
    const password = 'something to remember';
    const { code } = await invite({ email: 'dan@example.org' });
    const payload = { code, name: 'Dan', password };
    const joined = await app.inject({ method: 'POST', url: '/api/invitations/accept', payload });
    const session = cookieOf(joined, 'muster_session');
    await invite({ email: 'dan@example.org' });
    expect((await signIn('dan')).headers.location).toMatch(/failed=account$/);
    const begun = await beginWith({ connect: true, to: '/account' }, session);
    // In a browser in which nobody is signed in any more it connects nothing.
    expect((await signIn('dan', begun)).headers.location).toMatch(/failed=expired$/);
    const connected = await signIn(
      'dan',
      await beginWith({ connect: true, to: '/account' }, session),
      session,
    );
    expect(connected.headers.location).toBe(`${PUBLIC_URL}/account`);
    const answer = await signIn('dan');
    expect(await me(cookieOf(answer, 'muster_session'))).toMatchObject({
      email: 'dan@example.org',
      hasPassword: true,
    });
  });

  it('sends nobody to another address', async () => {
    await invite({ email: 'eli@example.org' });
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])
      expect((await signIn('eli', await begin(to))).headers.location).toBe(`${PUBLIC_URL}/`);
  });

  describe('refuses', () => {
    it('who did not begin it in the same browser, or began something else', async () => {
      const [one, other] = [await begin(), await begin()];
      const back = await atProvider(one.url, 'eli');
      for (const cookie of ['', 'muster_oidc=made-up'])
        expect((await comeBack(back, cookie)).headers.location).toMatch(/failed=expired$/);
      expect((await comeBack(back, other.cookie)).headers.location).toMatch(/failed=refused$/);
      // The state of one and the code of another: the code was made for another verifier.
      const state = new URL(other.url).searchParams.get('state') ?? '';
      const mixed = new URL(await atProvider((await begin()).url, 'eli'));
      mixed.searchParams.set('state', state);
      expect((await comeBack(mixed.href, other.cookie)).headers.location).toMatch(/failed=refused$/);
    });

    it('what came back once already', async () => {
      const begun = await begin();
      const back = await atProvider(begun.url, 'eli');
      const first = await comeBack(back, begun.cookie);
      expect(cookieOf(first, 'muster_session')).not.toBe('');
      expect([first.headers['set-cookie']].flat().join()).toContain('muster_oidc=; ');
      const again = await comeBack(back, begun.cookie);
      expect(again.headers.location).toMatch(/failed=refused$/);
      expect(cookieOf(again, 'muster_session')).toBe('');
    });

    it('whom the provider refuses', async () => {
      expect((await signIn('nobody')).headers.location).toMatch(/failed=refused$/);
    });
  });
});

describe('what an OpenID provider says', () => {
  let stub: Server;
  let issuer: string;
  let claims: Record<string, unknown> = {};

  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
    const idToken = () =>
      new SignJWT({ iss: issuer, aud: CLIENT.clientId, sub: 'ada', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'k' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
    const answers: Record<string, () => unknown> = {
      '/.well-known/openid-configuration': () => ({
        ...{ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` },
        ...{ jwks_uri: `${issuer}/jwks`, id_token_signing_alg_values_supported: ['RS256'] },
      }),
      '/jwks': () => ({ keys: [jwk] }),
      '/token': async () => ({ access_token: 'x', token_type: 'Bearer', id_token: await idToken() }),
    };
    stub = createServer((request, response) => {
      void (async () => {
        const answer = await answers[request.url ?? '']?.();
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      })();
    });
    stub.listen(0, '127.0.0.1');
    await once(stub, 'listening');
    issuer = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
  });
  afterAll(() => stub.close());

  const signIn = async (more: (flow: { nonce: string }) => Record<string, unknown>) => {
    const oidc = createOidc({ issuer, ...CLIENT }, CALLBACK);
    const { flow } = await oidc.begin();
    claims = { nonce: flow.nonce, ...more(flow) };
    return oidc.finish(new URL(`${CALLBACK}?code=c&state=${flow.state}`), flow);
  };

  it('is believed of who somebody is', async () => {
    const said = { email: 'Ada@example.org', email_verified: true, name: 'Ada' };
    expect(await signIn(() => said)).toEqual({
      ...{ issuer, subject: 'ada', name: 'Ada', verifiedEmail: 'ada@example.org' },
    });
    expect(await signIn(() => ({ ...said, email_verified: 'true' }))).toMatchObject({
      verifiedEmail: undefined,
    });
  });

  it.each([
    ['for another sign-in', { nonce: 'another' }],
    ['for none', { nonce: undefined }],
    ['by another provider', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'another' }],
  ])('is refused where it was said %s', async (_what, wrong) => {
    await expect(signIn(() => wrong)).rejects.toThrow();
  });
});
