import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createMusterApi, followLog } from '../../client';
import { createCentralApi } from '../../client/central-api';
import { kitKey, logPartKey, type NodeState } from '../../workflows/contract';
import { describeOnEachDatabase } from './databases';
import { look, report, start } from './scenes';
import { admin, central, lead, problemOf, site, useServer, type Bearer, type TestCaller } from './server';
import { LAUNCH, nodeView, runView, statusReport } from './views';

describeOnEachDatabase('logs of nodes', (kind) => {
  const server = useServer(kind);
  let url: string;
  beforeAll(async () => {
    url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  });
  const apiAs = async (bearer: Bearer = admin) =>
    createMusterApi({ url, token: await server.tokenOf(bearer) });

  const tell = (runId: string, state: NodeState, at: number, launchId = LAUNCH) =>
    report(
      server,
      statusReport(
        runView(runId, 'running', { launchId }),
        [nodeView('central', 'running'), nodeView('alpha', state, { since: 1 })],
        { at },
      ),
    );
  /** A run whose nodes are at work. */
  async function running(): Promise<string> {
    const runId = await start(server);
    await tell(runId, 'running', Date.now());
    return runId;
  }
  async function put(runId: string, start: number, bytes: Buffer, as = site('alpha'), node = 'alpha') {
    const what = `PUT /api/runs/${runId}/launches/${LAUNCH}/nodes/${node}/log?start=${start}`;
    return server.call(what, { as, body: bytes, headers: { 'content-type': 'application/gzip' } });
  }
  const text = (runId: string, node = 'alpha', as: TestCaller = admin, query = '') =>
    server.call(`GET /api/runs/${runId}/nodes/${node}/log${query}`, { as });

  it('are taken in part by part, and read as text', async () => {
    const runId = await running();
    const [one, two] = [gzipSync('first\n'), Buffer.concat([gzipSync('second\n'), gzipSync('ä\n')])];
    expect((await put(runId, 0, one)).json()).toEqual({ next: one.length });
    const end = one.length + two.length;
    expect((await put(runId, one.length, two)).json()).toEqual({ next: end });
    const answer = await text(runId);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.body).toBe('first\nsecond\nä\n');
    expect((await text(runId, 'alpha', lead('penguins'))).body).toBe('first\nsecond\nä\n');
    expect((await text(runId, 'alpha', admin, `?launch=${LAUNCH}`)).body).toBe('first\nsecond\nä\n');
    const stored = await buffer(await server.objects.getStream(logPartKey(runId, LAUNCH, 'alpha', 0)));
    expect(gunzipSync(stored).toString()).toBe('first\n');
  });

  it('keep the part that came first, and say where to go on', async () => {
    const runId = await running();
    const first = gzipSync('first\n');
    await put(runId, 0, first);
    const longer = Buffer.concat([first, gzipSync('second\n')]);
    expect((await put(runId, 0, longer)).json()).toEqual({ next: first.length });
    expect((await text(runId)).body).toBe('first\n');
  });

  it('are taken by workers as the client sends them, also that of provisioning', async () => {
    const runId = await running();
    const bytes = gzipSync('kits made\n');
    const api = createCentralApi({ url, token: await server.tokenOf(central) });
    expect(await api.putNodeLog(runId, LAUNCH, 'provision', 0, bytes)).toEqual({ next: bytes.length });
    expect((await text(runId, 'provision')).body).toBe('kits made\n');
  });

  it.each<[string, Buffer, number, string]>([
    ['no gzip', Buffer.from('hello'), 422, 'invalid-log'],
    ['half a member', gzipSync('hello, and more of it').subarray(0, 20), 422, 'invalid-log'],
    ['far more text than it seems', gzipSync(Buffer.alloc(2 ** 24)), 422, 'invalid-log'],
  ])('are refused when a part is %s', async (_, bytes, status, type) => {
    const runId = await running();
    expect(problemOf(await put(runId, 0, bytes))).toMatchObject({
      status,
      type: `urn:muster:problem:${type}`,
    });
    expect((await text(runId)).statusCode).toBe(404);
  });

  it('are refused when a part is too large', async () => {
    const bytes = gzipSync(randomBytes(2 ** 20 + 1));
    expect(problemOf(await put(await running(), 0, bytes, central, 'central')).status).toBe(413);
  });

  it.each<[string, TestCaller, number]>([
    ['alpha', site('beta'), 403],
    ['central', site('alpha'), 403],
    ['alpha', central, 403],
    ['alpha', admin, 403],
    ['gamma', site('gamma'), 404],
  ])('of %s are not taken from another: %j', async (node, as, status) => {
    expect(problemOf(await put(await running(), 0, gzipSync('x'), as, node)).status).toBe(status);
  });

  it('are taken of a launch that was not reported yet, by a site that has its kit', async () => {
    const runId = await start(server);
    expect((await put(runId, 0, gzipSync('x'))).statusCode).toBe(404);
    await server.objects.putOnce(kitKey(runId, LAUNCH, 'alpha'), Buffer.from('kit'));
    expect((await put(runId, 0, gzipSync('x'))).statusCode).toBe(200);
  });

  it('are followed as they come, to the end', async () => {
    const runId = await running();
    const first = gzipSync('first ');
    await put(runId, 0, first);
    const seen: string[] = [];
    for await (const more of followLog(
      await apiAs(),
      { runId, node: 'alpha' },
      { signal: new AbortController().signal },
    )) {
      seen.push(more);
      if (seen.length > 1) continue;
      await put(runId, first.length, gzipSync('second'));
      await tell(runId, 'complete', Date.now());
    }
    expect(seen).toEqual(['first ', 'second']);
  });

  it('are followed on from where a reader left off', async () => {
    const runId = await running();
    const first = gzipSync('first ');
    await put(runId, 0, first);
    await put(runId, first.length, gzipSync('second'));
    await tell(runId, 'failed', Date.now());
    const options = { signal: new AbortController().signal, lastEventId: first.length };
    const seen: string[] = [];
    for await (const more of followLog(await apiAs(), { runId, node: 'alpha' }, options)) seen.push(more);
    expect(seen).toEqual(['second']);
  });

  it('are shown to those who may see the run', async () => {
    const runId = await running();
    await put(runId, 0, gzipSync('x'));
    expect(problemOf(await text(runId, 'alpha', lead('others'))).status).toBe(403);
    expect(problemOf(await text(runId, 'alpha', site('alpha'))).status).toBe(404);
  });

  it('that are not there are explained', async () => {
    const fresh = await start(server);
    expect(problemOf(await text(fresh, 'gamma')).detail).toBe(`Run ${fresh} has no node gamma.`);
    expect(problemOf(await text('no-such-run')).status).toBe(404);
    const runId = await running();
    expect(problemOf(await text(runId, 'central')).detail).toMatch(
      /^Nothing of the log of central has arrived/,
    );
    expect(problemOf(await text(runId)).detail).toMatch(
      /^Nothing of the log of alpha has so far left the site\./,
    );
    await tell(runId, 'fetching', Date.now());
    expect(problemOf(await text(runId)).detail).toMatch(/^alpha is fetching: its node has not begun/);
    await tell(runId, 'refused', Date.now());
    expect(problemOf(await text(runId)).detail).toMatch(/^The site alpha refused the run/);
    const over = await running();
    await tell(over, 'complete', Date.now());
    expect(problemOf(await text(over)).detail).toMatch(
      /has left the site\. The site decides \(the `logs` setting/,
    );
  });

  describe('and results', () => {
    it('can be downloaded when the run is complete', async () => {
      const runId = await running();
      const key = `runs/${runId}/${LAUNCH}/results/central/fit.json`;
      await server.objects.putOnce(key, Buffer.from('{}'));
      const results = [{ name: 'fit.json', key, size: 2, sha256: 'a'.repeat(64) }];
      await report(server, statusReport(runView(runId, 'complete', { results }), [], { at: Date.now() }));
      const listed = await (await apiAs(lead('penguins'))).listResults({ path: { runId } });
      expect(listed).toEqual({
        results: [{ name: 'fit.json', size: 2, sha256: 'a'.repeat(64), url: expect.any(String) as string }],
      });
      expect(await (await fetch(listed.results[0]!.url)).text()).toBe('{}');
      const download = (name: string) =>
        server.call(`GET /api/runs/${runId}/results/file?name=${name}`, { as: lead('penguins') });
      const file = await download('fit.json');
      expect([file.statusCode, file.body]).toEqual([200, '{}']);
      expect(file.headers['content-disposition']).toBe("attachment; filename*=UTF-8''fit.json");
      expect(problemOf(await download('other.json')).type).toContain('unknown-result');
      expect(problemOf(await server.call(`GET /api/runs/${runId}/results`, { as: lead('x') })).status).toBe(
        403,
      );
    });

    it.each([
      ['running', 'there are results when it is complete.'],
      ['failed', 'only a run that completes has results.'],
      ['complete', 'and its central node left no results.'],
    ] as const)('of a run that is %s are none, and it says why', async (state, why) => {
      const runId = await running();
      await report(server, statusReport(runView(runId, state), [], { at: Date.now() }));
      expect((await look(server, runId)).run.state).toBe(state);
      const answer = await server.call(`GET /api/runs/${runId}/results`);
      expect(answer.json()).toEqual({ results: [], why: expect.stringContaining(why) as string });
    });
  });
});
