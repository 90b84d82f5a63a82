import { sql } from 'drizzle-orm';
import { runInputDraft } from '../support/run-input';
import { admin, problemOf, tokenFor, useServer } from './server';

describe('what the API answers when something is wrong', () => {
  const server = useServer();
  const { consortium: _itself, startedBy: _nobody, ...consortium } = runInputDraft(['alpha']);
  const body = { name: 'Test consortium', ...consortium };

  it('names what there is not', async () => {
    const answer = await server.call('GET /api/nowhere');
    expect(problemOf(answer)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing at /api/nowhere.',
    });
  });

  it('says which methods there are', async () => {
    const answer = await server.call('POST /api/consortia/test');
    expect(problemOf(answer)).toMatchObject({
      status: 405,
      detail: '/api/consortia/test takes PUT, PATCH, DELETE, GET, HEAD, not POST.',
    });
    expect(answer.headers.allow).toBe('PUT, PATCH, DELETE, GET, HEAD');
  });

  it('points at every place in a body that is wrong', async () => {
    const wrong = { ...body, name: '', extra: 1, windows: { retry: 'soon' } };
    const answer = await server.call('PUT /api/consortia/test', { body: wrong });
    expect(problemOf(answer)).toMatchObject({
      status: 400,
      type: 'urn:muster:problem:invalid-request',
      errors: [
        { pointer: '/name', detail: expect.stringContaining('>=1') as string },
        { pointer: '/windows/retry', detail: expect.stringContaining('a duration is') as string },
        { pointer: '/extra', detail: 'is not known here' },
      ],
    });
  });

  it('points into keys that hold a slash', async () => {
    const answer = await server.call('PUT /api/consortia/test', { body: { ...body, 'a/b~c': 1 } });
    expect(problemOf(answer).errors).toEqual([{ pointer: '/a~1b~0c', detail: 'is not known here' }]);
  });

  it.each([
    ['a path', 'GET /api/runs/NOT_AN_ID', '/runId'],
    ['a query', 'GET /api/runs?limit=many', '/limit'],
  ])('points into %s', async (_part, what, pointer) => {
    const answer = await server.call(what);
    expect(problemOf(answer)).toMatchObject({ status: 400, errors: [{ pointer }] });
  });

  it.each([
    [400, 'what is not JSON', { 'content-type': 'application/json' }, '{"name":'],
    [413, 'a body that is too large', { 'content-type': 'application/json' }, `"${'x'.repeat(2 ** 21)}"`],
    [415, 'another media type', { 'content-type': 'application/xml' }, '<name/>'],
    [400, 'an address that cannot be read', {}, ''],
  ])('answers %d to %s', async (status, _what, headers, payload) => {
    const url = payload === '' ? '/api/%zz' : '/api/consortia/test';
    const authorization = `Bearer ${await tokenFor(admin)}`;
    const answer = await server.app.inject({
      method: 'PUT',
      url,
      headers: { authorization, ...headers },
      payload,
    });
    const { type, detail } = problemOf(answer);
    expect([answer.statusCode, type, typeof detail]).toEqual([status, 'about:blank', 'string']);
  });

  it('keeps its own failures to its log, and the log free of what was asked', async () => {
    await server.db.execute(sql`alter table consortia rename to elsewhere`);
    const answer = await server.call('GET /api/consortia/my-secret-consortium');
    await server.db.execute(sql`alter table elsewhere rename to consortia`);
    const { status, detail = '' } = problemOf(answer);
    expect(status).toBe(500);
    expect(answer.body).not.toMatch(/select|relation|\.ts/);
    const [, reference = ''] = /under ([\w-]+)\./.exec(detail) ?? [];
    const line = server.log.split('\n').find((text) => text.includes(reference)) ?? '';
    expect(line).toContain('relation \\"consortia\\" does not exist');
    expect(line).toContain('stack');
    expect(line).not.toContain('my-secret-consortium');
  });

  it('forbids browsers to do anything with an answer', async () => {
    for (const what of ['GET /api/runs', 'GET /api/nowhere', 'GET /healthz']) {
      const { headers } = await server.call(what);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    }
  });
});
