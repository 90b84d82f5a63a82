/** What is written down of what people do. */
import { sql } from 'drizzle-orm';
import { createAudit } from '../../server/audit/audit';
import { AuditEntry, AuditPage } from '../../workflows/audit-contract';
import { Invitation, NewToken } from '../../workflows/people-contract';
import { describeOnEachDatabase } from './databases';
import { register, start } from './scenes';
import { admin, lead, person, problemOf, useServer, type Bearer } from './server';

describeOnEachDatabase('the audit log', (kind) => {
  const server = useServer(kind);
  beforeAll(() => register(server, 'penguins'));
  const read = async (query = '', as: Bearer = admin) =>
    AuditPage.parse((await server.call(`GET /api/audit${query}`, { as })).json());

  it('says who did what to what, by what and from where', async () => {
    const runId = await start(server);
    const body = { reason: 'wrong parameters' };
    await server.call(`POST /api/runs/${runId}/stop`, { as: lead('penguins'), body });
    const { entries } = await read(`?run=${runId}`);
    const at = expect.any(Number) as number;
    expect(entries).toEqual([
      expect.objectContaining({
        ...{ action: 'run.stop', by: 'lead@example.org', via: 'token', address: '127.0.0.1', at },
        ...{ runId, consortiumId: 'penguins', detail: body },
      }),
      expect.objectContaining({
        ...{ action: 'run.start', by: admin.sub, via: 'operator', runId, consortiumId: 'penguins' },
      }),
    ]);
  });

  it('has no secret, and nothing of what was refused', async () => {
    const before = await read('?limit=1');
    await server.call('PUT /api/consortia/penguins', { as: lead('penguins'), body: {} });
    await server.call('POST /api/sign-in', {
      body: { email: 'x@example.org', password: 'let me in, please' },
    });
    expect(await read('?limit=1')).toEqual(before);
    const invited = await server.call('POST /api/invitations', { body: { email: 'kim@example.org' } });
    const { code } = Invitation.parse(invited.json());
    const password = 'something to remember';
    const joined = await server.app.inject({
      ...{ method: 'POST', url: '/api/invitations/accept' },
      payload: { code, name: 'Kim', password },
    });
    const cookie = String(joined.headers['set-cookie']).split(';')[0] ?? '';
    const made = await server.app.inject({
      ...{ method: 'POST', url: '/api/me/tokens', headers: { cookie, 'sec-fetch-site': 'same-origin' } },
      payload: { name: 'ci', scope: 'read', expiresAt: Date.now() + 60_000 },
    });
    const { token } = NewToken.parse(made.json());
    const { entries } = await read('?who=kim@example.org');
    expect(entries.map(({ action, via }) => [action, via])).toEqual([
      ['token.create', 'session'],
      ['invitation.accept', 'session'],
    ]);
    const all = JSON.stringify(await read('?limit=500'));
    for (const secret of [code, password, token, cookie.split('=')[1] ?? ''])
      expect(all).not.toContain(secret);
  });

  it('is read page by page, by leads as far as they lead', async () => {
    await register(server, 'seals');
    const [mine, others] = [await start(server, 'penguins'), await start(server, 'seals')];
    const first = await read('?limit=1');
    expect(first.entries[0]?.runId).toBe(others);
    expect((await read(`?limit=1&after=${first.next}`)).entries[0]?.runId).toBe(mine);
    const seen = (await read('?limit=500', lead('penguins'))).entries;
    expect(new Set(seen.map(({ consortiumId }) => consortiumId))).toEqual(new Set(['penguins']));
    expect((await read('?consortium=seals', lead('penguins'))).entries).toEqual([]);
    const member = person('m@example.org', { consortia: { penguins: 'member' } });
    expect(problemOf(await server.call('GET /api/audit', { as: member })).status).toBe(403);
    expect(problemOf(await server.call('GET /api/audit/export', { as: lead('penguins') })).status).toBe(403);
  });

  it('is given out whole, the oldest first', async () => {
    const audit = createAudit({ db: server.db });
    for (let i = 0; i < 600; i++)
      await audit.write({ action: 'many', by: undefined, address: '::1', detail: { i } });
    const answer = await server.call('GET /api/audit/export');
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
    const entries = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => AuditEntry.parse(JSON.parse(line)));
    const ids = entries.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(entries.filter(({ action }) => action === 'many').map(({ detail }) => detail?.i)).toEqual(
      Array.from({ length: 600 }, (_, i) => i),
    );
  });

  it.each(['update audit set by = $$nobody$$', 'delete from audit', 'truncate audit'])(
    'is only added to: %s',
    async (statement) => {
      const before = await read();
      await expect(server.db.execute(sql.raw(statement))).rejects.toMatchObject({
        cause: { message: expect.stringContaining('what was done stays written down') as string },
      });
      expect(await read()).toEqual(before);
    },
  );
});
