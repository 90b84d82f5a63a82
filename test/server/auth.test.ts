import { UnsecuredJWT } from 'jose';
import { TOKEN_KINDS, type AccessClaims } from '../../workflows/api-contract';
import { admin, central, lead, problemOf, SECRET, tokenFor, useServer, type Bearer } from './server';

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

  it.each<[string, Bearer[]]>([
    ['POST /api/computations', [lead('c'), central, node]],
    ['GET /api/computations', [node]],
    ['GET /api/computations/x/1', [node]],
    ['DELETE /api/computations/x/1', [lead('c'), central, node]],
    ['PUT /api/consortia/c', [lead('c'), central, node]],
    ['GET /api/consortia', [node]],
    ['GET /api/consortia/c', [node]],
    ['POST /api/consortia/c/runs', [central, node]],
    ['GET /api/runs', [node]],
    ['GET /api/consortia/c', [lead('d')]],
    ['GET /api/runs/a-run', [node]],
    ['POST /api/runs/a-run/retry', [central, node]],
    ['GET /api/runs/a-run/errors', [node]],
    ['GET /api/runs/a-run/events', [node]],
    ['POST /api/runs/a-run/stop', [central, node]],
    ['POST /api/runs/a-run/started', [admin, lead('c'), node]],
    ['POST /api/runs/a-run/status', [admin, lead('c'), node]],
    ['POST /api/runs/a-run/errors/central', [admin, lead('c'), node]],
    ['POST /api/runs/a-run/errors/edge', [admin, lead('c'), central, node]],
    ['POST /api/runs/a-run/launches/abcdefghijkl/kits/alpha', [admin, lead('c'), node]],
    ['PUT /api/runs/a-run/launches/abcdefghijkl/kits', [admin, lead('c'), node]],
    ['DELETE /api/runs/a-run/launches/abcdefghijkl/kits', [admin, lead('c'), node]],
    ['POST /api/runs/a-run/nodes/alpha/report', [admin, lead('c'), central]],
  ])('%s is not for everyone', async (what, others) => {
    for (const as of others) {
      const { status, detail } = problemOf(await server.call(what, { as }));
      expect([as.role, status]).toEqual([as.role, 403]);
      expect(detail).toMatch(/^This is for .*; .* is .*\.$/);
    }
  });

  it('needs no token to say how it is, what it offers and what it looks like', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json', '/reference/']) {
      const { statusCode } = await server.app.inject({ url });
      expect([url, statusCode]).toEqual([url, 200]);
    }
  });
});
