import { sql } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readMessages } from '../../client/event-stream';
import { runs } from '../../server/db/schema';
import { createJournal } from '../../server/journal';
import { createFeeds } from '../../server/runs/feed';
import { selectPage, type RunQuery } from '../../server/runs/list';
import { RunList } from '../../workflows/api-contract';
import { Change, WaitingList } from '../../workflows/changes-contract';
import { TestedNotice } from '../../workflows/notice-contract';
import { describeOnEachDatabase } from './databases';
import { report, start } from './scenes';
import { callOn, central, lead, person, site, useServer, type Bearer } from './server';
import { nodeView, runView, statusReport } from './views';

describeOnEachDatabase('what changes in what people look at', (kind) => {
  const server = useServer(kind);
  const leaving: (() => unknown)[] = [];
  const addresses = new WeakMap<FastifyInstance, string>();

  afterEach(async () => {
    for (const leave of leaving.splice(0)) await leave();
  });

  async function addressOf(app: FastifyInstance): Promise<string> {
    const known = addresses.get(app) ?? (await app.listen({ host: '127.0.0.1', port: 0 }));
    addresses.set(app, known);
    return known;
  }

  /** Listens as somebody; `take` answers the next message that is of one of the types. */
  async function listen(as: Bearer, lastEventId?: string, app = server.app) {
    const left = new AbortController();
    leaving.push(() => left.abort());
    const answer = await fetch(`${await addressOf(app)}/api/events`, {
      headers: {
        authorization: `Bearer ${await server.tokenOf(as)}`,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      signal: left.signal,
    });
    expect(answer.status).toBe(200);
    const messages = readMessages(answer.body ?? new ReadableStream<Uint8Array>());
    return {
      leave: () => left.abort(),
      async take(...types: Change['type'][]): Promise<Change & { id: string }> {
        for (;;) {
          const next = await messages.next();
          if (next.done === true) throw new Error('the stream ended');
          const change = Change.parse(JSON.parse(next.value.data));
          if (types.length === 0 || types.includes(change.type))
            return { id: next.value.id ?? '', ...change };
        }
      },
    };
  }

  const stands = (runId: string, consortium: string, state: 'running' | 'complete', at = 1) =>
    report(
      server,
      statusReport(
        runView(runId, state, { consortium: { id: consortium, name: consortium }, since: at }),
        [nodeView('alpha', 'running')],
        { at },
      ),
    );

  it('is told to who may see it, and to nobody else', async () => {
    const mine = await start(server, 'mine');
    const others = await start(server, 'others');
    const reader = await listen(lead('mine'));
    expect(await reader.take()).toMatchObject({ type: 'look-again' });
    await stands(others, 'others', 'running');
    await stands(mine, 'mine', 'running');
    expect(await reader.take()).toMatchObject({
      type: 'run',
      run: { runId: mine, state: 'running', sites: 2 },
    });
  });

  it('is told to administrators of a site that takes part, and to admins', async () => {
    const runId = await start(server, 'ours');
    const readers = [
      await listen(person('a@alpha', { sites: ['alpha'] })),
      await listen(person('b', { admin: true })),
    ];
    for (const reader of readers) await reader.take('look-again');
    await stands(runId, 'ours', 'complete');
    for (const reader of readers) expect(await reader.take('run')).toMatchObject({ run: { runId } });
  });

  it('goes on where the reader was, or says that it is to look again', async () => {
    const runId = await start(server, 'resumed');
    const first = await listen(lead('resumed'));
    const { id } = await first.take('look-again');
    first.leave();
    await stands(runId, 'resumed', 'running');
    const again = await listen(lead('resumed'), id);
    expect(await again.take()).toMatchObject({ type: 'run', run: { runId } });
    const elsewhere = await listen(lead('resumed'), '0123456789ab-7');
    expect(await elsewhere.take()).toMatchObject({ type: 'look-again' });
  });

  it('is told of a notice that was tried, each time', async () => {
    await start(server, 'notified');
    const reader = await listen(lead('notified'));
    await reader.take('look-again');
    const notices = 'PUT /api/consortia/notified/notices/by-mail';
    const put = await server.call(notices, {
      body: { kind: 'email', to: 'lab@example.org', on: ['failed'] },
    });
    expect(put.statusCode).toBe(200);
    const test = await server.call('POST /api/consortia/notified/notices/by-mail/test');
    const { deliveryId } = TestedNotice.parse(test.json());
    // Two deeds of people.
    await reader.take('consortium');
    await reader.take('consortium');
    for (const outcome of ['retrying', 'delivered'] as const) {
      const path = `POST /api/notice-deliveries/${deliveryId}/report`;
      const reported = await server.call(path, { as: central, body: { outcome } });
      expect(reported.statusCode).toBeLessThan(300);
      expect(await reader.take('consortium')).toMatchObject({ consortiumId: 'notified' });
    }
  });

  it('comes from other replicas too', async () => {
    const runId = await start(server, 'replicated');
    const replica = await server.startReplica();
    const reader = await listen(lead('replicated'), undefined, replica);
    await reader.take('look-again');
    await stands(runId, 'replicated', 'running');
    expect(await reader.take('run')).toMatchObject({ run: { runId, state: 'running' } });
  });

  it('tells of sites that come', async () => {
    await start(server, 'sited');
    const reader = await listen(lead('sited'));
    await reader.take('look-again');
    const body = { state: 'here', runtimes: ['process'], version: '1.0.0' };
    await server.call('POST /api/sites/beta/presence', { as: site('beta'), body });
    expect(await reader.take('site')).toMatchObject({ siteId: 'beta', presence: 'here' });
  });

  it('tells of what waits, which is a list with whose turn it is', async () => {
    const runId = await start(server, 'waiting');
    const alpha = person('admin@alpha', { sites: ['alpha'] });
    const reader = await listen(alpha);
    await reader.take('look-again');
    const attention = {
      node: 'alpha',
      phase: 'admission',
      type: 'ApprovalNeeded',
      message: 'alpha must agree.',
    };
    const consortium = { id: 'waiting', name: 'Waiting' };
    await report(
      server,
      statusReport(
        runView(runId, 'running', { consortium }),
        [nodeView('alpha', 'launching', { attention })],
        { at: 1 },
      ),
    );
    await reader.take('waiting');
    const waitingFor = async (as: Bearer) =>
      WaitingList.parse((await server.call('GET /api/waiting', { as })).json()).waiting;
    const [item] = await waitingFor(alpha);
    expect(item).toMatchObject({
      ...{ kind: 'node', runId, node: 'alpha', consortiumId: 'waiting', type: 'ApprovalNeeded', mine: true },
      turn: "the site's administrator",
    });
    expect(await waitingFor(person('v@x', { consortia: { waiting: 'viewer' } }))).toMatchObject([
      { runId, mine: false },
    ]);
    expect(await waitingFor(person('nobody@x'))).toEqual([]);
    await stands(runId, 'waiting', 'complete', 2);
    await reader.take('waiting');
    expect(await waitingFor(alpha)).toEqual([]);
  });

  it('lists invitations of sites as long as nobody has answered them', async () => {
    const ofBeta = person('admin@beta', { sites: ['beta'] });
    const founder = lead('inviting');
    await server.tokenOf(ofBeta);
    const invitations = async (as: Bearer) => {
      const answer = await server.call('GET /api/waiting', { as });
      return WaitingList.parse(answer.json()).waiting.filter(({ kind }) => kind === 'invitation');
    };
    await server.call('POST /api/consortia', { body: { id: 'inviting', name: 'The Inviting' } });
    const body = { siteId: 'beta' };
    expect((await server.call('POST /api/consortia/inviting/sites', { body })).statusCode).toBe(200);
    expect(await invitations(ofBeta)).toMatchObject([
      {
        ...{ consortiumId: 'inviting', siteId: 'beta', mine: true },
        message: 'The Inviting has invited the site beta.',
      },
    ]);
    expect(await invitations(founder)).toMatchObject([{ siteId: 'beta', mine: false }]);
    expect(await invitations(person('eve@x', { sites: ['alpha'] }))).toEqual([]);
    await server.call('DELETE /api/consortia/inviting');
    expect(await invitations(ofBeta)).toEqual([]);
    const headers = { 'if-match': '*' };
    await server.call('PATCH /api/consortia/inviting', { body: { archived: false }, headers });
    expect(await invitations(ofBeta)).toHaveLength(1);
    const answer = { as: ofBeta, body: { accept: true, dataset: 'birds' } };
    const accepted = await server.call('POST /api/consortia/inviting/sites/beta/answer', answer);
    expect(accepted.statusCode).toBe(200);
    expect(await invitations(founder)).toEqual([]);
  });

  it('is read once for all who follow one run', async () => {
    const runId = await start(server, 'popular');
    const journal = createJournal(server.db);
    let reads = 0;
    const feeds = createFeeds({
      db: server.db,
      truth: { check: () => Promise.resolve(false) },
      journal: {
        listen: (id) => journal.listen(id),
        read: (...asked) => {
          reads += 1;
          return journal.read(...asked);
        },
      },
    });
    const followers = Array.from({ length: 200 }, () => feeds.open(runId));
    const parts = await Promise.all(followers.map((feed) => feed.read(0)));
    expect(new Set(parts.map((part) => part?.text)).size).toBe(1);
    const last = parts[0]?.lastId ?? 0;
    const after = Promise.all(
      followers.map(async (feed) => {
        let part = await feed.read(last);
        while (part === undefined) {
          await feed.changed();
          part = await feed.read(last);
        }
        return part.text;
      }),
    );
    await journal.change(runId, (_tx, tell) => {
      tell({ type: 'run', at: 1, data: { news: 1 } });
      return Promise.resolve();
    });
    expect(new Set(await after).size).toBe(1);
    // What there was, that there was no more, and what came.
    expect(reads).toBeLessThanOrEqual(3);
    for (const feed of followers) feed.close();
  });

  describe('a list of many runs', () => {
    const MANY = 12_000;
    const page = async (query: string, as?: Bearer) =>
      RunList.parse((await callOn(server.app, `GET /api/runs?${query}`, as && { as })).json());

    beforeAll(async () => {
      const rows = Array.from({ length: MANY }, (_, index) => {
        const runId = `many-${index}`;
        const consortiumId = `many-${index % 10}`;
        const state = index % 100 === 0 ? 'failed' : 'complete';
        const startedAt = 1_000 + Math.floor(index / 3);
        const view = runView(runId, state, {
          startedAt,
          consortium: { id: consortiumId, name: consortiumId },
        });
        return { runId, consortiumId, startedAt, state, view, updatedAt: 0 } as const;
      });
      for (let at = 0; at < MANY; at += 1_000)
        await server.db.insert(runs).values(rows.slice(at, at + 1_000));
      await server.db.execute('analyze runs');
    });

    it('is read page by page, each run once, whatever begins meanwhile', async () => {
      const seen: string[] = [];
      let after = '';
      for (;;) {
        const { runs: list, next } = await page(`consortium=many-3&limit=200${after}`);
        seen.push(...list.map(({ runId }) => runId));
        if (next === undefined) break;
        after = `&after=${next}`;
        await server.db.insert(runs).values({
          ...{ runId: `late-${seen.length}`, consortiumId: 'many-3', startedAt: Date.now(), updatedAt: 0 },
          ...{ state: 'complete', view: runView(`late-${seen.length}`, 'complete') },
        });
      }
      expect(seen).toHaveLength(MANY / 10);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen[0]).toBe(`many-${MANY - 7}`);
    });

    it('is narrowed down by state and by site', async () => {
      const { runs: failed } = await page('state=failed&limit=3');
      expect(failed.map(({ runId }) => runId)).toEqual([100, 200, 300].map((back) => `many-${MANY - back}`));
      const runId = await start(server, 'of-sites');
      expect((await page('site=beta')).runs.map((run) => run.runId)).toContain(runId);
      expect((await page('site=gamma')).runs).toEqual([]);
      expect((await callOn(server.app, 'GET /api/runs?after=never')).statusCode).toBe(400);
    });

    it.each<Partial<RunQuery>>([
      {},
      { after: { startedAt: 2_000, runId: 'many-1' } },
      { consortium: 'many-3', after: { startedAt: 2_000, runId: 'many-1' } },
      { state: 'failed' },
    ])('is read from an index, not by looking at every run: %j', async (query) => {
      const asked = selectPage(server.db, undefined, { limit: 50, ...query });
      const { rows } = Plan.parse(await server.db.execute(sql`explain ${asked}`));
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index Scan Backward using listed_runs/);
      expect(plan).not.toMatch(/Seq Scan|Sort/);
    });
  });

  it('what has not changed is not sent again', async () => {
    await start(server, 'unchanged');
    const first = await server.call('GET /api/consortia/unchanged');
    const { etag } = first.headers;
    expect(etag).toMatch(/^(?:W\/)?"/);
    const headers = { 'if-none-match': String(etag) };
    const again = await server.call('GET /api/consortia/unchanged', { headers });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const whatever = await server.call('GET /api/consortia/none', { headers: { 'if-none-match': '*' } });
    expect(whatever.statusCode).toBe(404);
  });
});

const Plan = z.object({ rows: z.array(z.object({ 'QUERY PLAN': z.string() })) });
