import { UnsecuredJWT } from 'jose';
import { TOKEN_KINDS, type AccessClaims } from '../../workflows/api-contract';
import { admin, central, lead, problemOf, SECRET, tokenFor, useServer } from './server';

describe('who may call the API', () => {
  const server = useServer();
  const get = (authorization?: string) =>
    server.app.inject({ url: '/api/runs', headers: authorization === undefined ? {} : { authorization } });
  const node: AccessClaims = {
    ...{ role: 'node', sub: 'a-run/alpha' },
    ...{ runId: 'a-run', launchId: 'abcdefghijkl', node: 'alpha' },
  };

  it.each([
    ['no token', () => undefined, 'Send `Authorization: Bearer <access token>`.'],
    ['another scheme', () => 'Basic abc', 'Send `Authorization: Bearer <access token>`.'],
    ['what is no token', () => 'Bearer abc', 'The access token is not valid'],
    [
      'another secret',
      async () => `Bearer ${await tokenFor(admin, 'x'.repeat(40))}`,
      'The access token is not valid',
    ],
    [
      'an expired token',
      async () => `Bearer ${await tokenFor(admin, SECRET, '-1s')}`,
      'The access token has expired',
    ],
    [
      'an unsigned token',
      () => `Bearer ${new UnsecuredJWT({ ...admin }).encode()}`,
      'The access token is not valid',
    ],
    [
      'an unknown role',
      async () => `Bearer ${await tokenFor({ ...admin, role: 'king' } as unknown as AccessClaims)}`,
      'The access token does not say what its bearer may do',
    ],
    [
      'a token that says that it is a site',
      async () => `Bearer ${await tokenFor({ ...admin, role: 'site' } as unknown as AccessClaims)}`,
      'The access token does not say what its bearer may do',
    ],
    [
      'a personal token that nobody has',
      () => `Bearer muster_${'x'.repeat(43)}`,
      'The personal token is not valid, or no longer',
    ],
    [
      'no name',
      async () => `Bearer ${await tokenFor({ ...admin, sub: '' })}`,
      'The access token does not name its bearer',
    ],
    ...(
      [
        [admin, TOKEN_KINDS.central],
        [central, TOKEN_KINDS.admin],
        [node, TOKEN_KINDS.central],
        [admin, 'JWT'],
      ] as const
    ).map(([claims, kind]): [string, () => Promise<string>, string] => [
      `a token for ${claims.role} of the kind ${kind}`,
      async () => `Bearer ${await tokenFor(claims, SECRET, '1h', kind)}`,
      `The access token is not of the kind that is for ${claims.role}`,
    ]),
  ])('refuses %s', async (_what, authorization, detail) => {
    const answer = await get(await authorization());
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(problemOf(answer).detail).toContain(detail);
  });

  it('asks for a token before it looks at the request', async () => {
    const answer = await server.app.inject({ method: 'PUT', url: '/api/consortia/NO', payload: { x: 1 } });
    expect(answer.statusCode).toBe(401);
  });

  it.each([
    ['PUT /api/consortia/c', lead('c'), 'This is for admins; lead@example.org is not.'],
    [
      'GET /api/consortia/c',
      lead('d'),
      /^This is for a viewer of the consortium c or .*; lead@example.org is not\.$/,
    ],
    ['GET /api/runs', node, /^This is for .*; a-run\/alpha is node\.$/],
  ])('says for whom %s is', async (what, as, words) => {
    const { status, detail } = problemOf(await server.call(what, { as }));
    expect([status, detail]).toEqual([403, expect.stringMatching(words)]);
  });

  it('needs no token to say how it is, what it offers and what it looks like', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json', '/reference/']) {
      const { statusCode } = await server.app.inject({ url });
      expect([url, statusCode]).toEqual([url, 200]);
    }
  });
});
