/** What histories hold is opened for admins, and for pages of the Temporal Web UI that an admin's browser shows. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createPayloadCodec } from '../../sealing/payload-codec';
import { testCodec } from '../support/sealed';
import {
  admin,
  central,
  lead,
  person,
  problemOf,
  TEMPORAL_UI,
  tokenFor,
  useServer,
  type Bearer,
} from './server';

const server = useServer();

const base64 = (bytes: Uint8Array | string | null | undefined) => Buffer.from(bytes ?? '').toString('base64');
const PLAIN = { metadata: { encoding: base64('json/plain') }, data: base64('{"consortium":"palmer"}') };

async function sealed(codec = testCodec) {
  const payload = {
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(PLAIN.data, 'base64'),
  };
  const [first] = await codec.encode([payload]);
  return { metadata: { encoding: base64(first?.metadata?.encoding) }, data: base64(first?.data) };
}

const change = (
  name: 'decode' | 'encode',
  payload: object,
  headers: Record<string, string>,
  app: FastifyInstance = server.app,
) => app.inject({ method: 'POST', url: `/api/codec/${name}`, headers, payload: { payloads: [payload] } });
const bearer = async (claims: Bearer) => ({
  authorization: `Bearer ${await server.tokenOf(claims)}`,
});

/** The cookie that the page of an admin asks for. */
async function pass(): Promise<string> {
  const answer = await server.call('POST /api/codec/pass');
  expect(answer.statusCode).toBe(204);
  const cookie = z.string().parse(answer.headers['set-cookie']);
  expect(cookie).toMatch(/; Path=\/api\/codec; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/);
  return cookie.split(';')[0] ?? '';
}

test('an admin has payloads opened, and sealed again', async () => {
  const opened = await change('decode', await sealed(), await bearer(admin));
  expect(opened.json()).toEqual({ payloads: [PLAIN] });
  const again = await change('encode', PLAIN, await bearer(admin));
  const [payload] = again.json<{ payloads: [object] }>().payloads;
  expect(JSON.stringify(payload)).not.toContain(PLAIN.data);
  expect((await change('decode', payload, await bearer(admin))).json()).toEqual({ payloads: [PLAIN] });
});

test.each([
  ['nobody', () => Promise.resolve({}), 401],
  ['a lead', () => bearer(lead('palmer')), 403],
  ['a central worker', () => bearer(central), 403],
  ['a cookie that nobody gave out', () => Promise.resolve({ cookie: 'muster_codec=made-up' }), 401],
  ['an access token as a cookie', async () => ({ cookie: `muster_codec=${await tokenFor(admin)}` }), 401],
  [
    'another page, in the browser of an admin',
    async () => ({ cookie: await pass(), origin: 'https://evil.example' }),
    401,
  ],
] as const)('%s has nothing opened', async (_, headers, status) => {
  for (const name of ['decode', 'encode'] as const) {
    const answer = await change(name, await sealed(), await headers());
    expect(problemOf(answer).status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('the Web UI in the browser of an admin has payloads opened, and may read the answer', async () => {
  const answer = await change('decode', await sealed(), { cookie: await pass(), origin: TEMPORAL_UI });
  expect(answer.json()).toEqual({ payloads: [PLAIN] });
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': TEMPORAL_UI,
    'access-control-allow-credentials': 'true',
  });
});

test('the cookie opens nothing for who is no admin any more', async () => {
  const root = person('root@example.org', { admin: true });
  const given = await server.call('POST /api/codec/pass', { as: root });
  const cookie = z.string().parse(given.headers['set-cookie']).split(';')[0] ?? '';
  expect((await change('decode', await sealed(), { cookie })).statusCode).toBe(200);
  await server.tokenOf(person('root@example.org'));
  expect((await change('decode', await sealed(), { cookie })).statusCode).toBe(401);
});

test('the cookie opens nothing else', async () => {
  const cookie = await pass();
  const token = cookie.split('=')[1];
  for (const headers of [{ cookie }, { authorization: `Bearer ${token}` }])
    expect((await server.app.inject({ url: '/api/runs', headers })).statusCode).toBe(401);
});

test.each([
  [TEMPORAL_UI, TEMPORAL_UI],
  ['https://evil.example', undefined],
])('a browser that asks whether a page of %s may ask is answered', async (origin, allowed) => {
  const answer = await server.app.inject({
    method: 'OPTIONS',
    url: '/api/codec/decode',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  expect(answer.statusCode).toBe(204);
  expect(answer.headers['access-control-allow-origin']).toBe(allowed);
  expect(answer.headers['access-control-allow-headers']).toContain('x-namespace');
});

test('what was sealed by another key is refused by the name of that key', async () => {
  const others = createPayloadCodec([{ id: 'theirs', secret: Buffer.alloc(32, 9) }]);
  const problem = problemOf(await change('decode', await sealed(others), await bearer(admin)));
  expect(problem.detail).toContain('theirs');
});

describe('where everybody on this machine may see histories', () => {
  let local: FastifyInstance;
  beforeAll(async () => {
    local = await server.startReplica({ codecFor: 'local' });
  });
  const ask = async (remoteAddress: string, headers: Record<string, string>) =>
    local.inject({
      ...{ method: 'POST', url: '/api/codec/decode', remoteAddress, headers },
      payload: { payloads: [await sealed()] },
    });

  test.each([
    ['its own Web UI', '127.0.0.1', { origin: TEMPORAL_UI }, 200],
    ['a program', '::1', {}, 200],
    ['another page', '127.0.0.1', { origin: 'https://evil.example' }, 401],
    ['another machine', '192.0.2.1', {}, 401],
    ['another machine, by a proxy here', '127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, 401],
  ])('%s: %s', async (_, address, headers, status) => {
    expect((await ask(address, headers)).statusCode).toBe(status);
  });
});
