import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createMusterApi } from '../../client';
import { readMessages } from '../../client/event-stream';
import { followRun } from '../../client/events';
import { RunEvent } from '../../workflows/api-contract';
import { describeOnEachDatabase } from './databases';
import { eventsOf, look, report, start } from './scenes';
import { until } from '../support/until';
import { admin, lead, problemOf, tokenFor, useServer } from './server';
import { nodeView, runView, statusReport } from './views';

describeOnEachDatabase("a run's events", (kind) => {
  const server = useServer(kind);
  let url: string;
  const leaving: (() => unknown)[] = [];

  beforeAll(async () => {
    url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    for (const leave of leaving.splice(0)) await leave();
  });

  const changed = (runId: string, at: number) =>
    report(
      server,
      statusReport(runView(runId, 'running'), [nodeView('alpha', 'running', { since: at })], { at }),
    );

  /** Follows a run as people's programs do; `address` is that of one of several replicas. */
  async function follow(runId: string, lastEventId?: number, address = url) {
    const left = new AbortController();
    const api = createMusterApi({ url: address, token: await tokenFor(admin) });
    const following = { signal: left.signal, ...(lastEventId !== undefined && { lastEventId }) };
    const events = followRun(api, runId, following);
    leaving.push(() => {
      left.abort();
      return events.return(undefined);
    });
    return {
      take: async (count: number) => {
        const taken: RunEvent[] = [];
        while (taken.length < count) {
          const next = await events.next();
          if (next.done === true) throw new Error('the events ended');
          taken.push(next.value);
        }
        return taken;
      },
    };
  }

  /** The bare response, as bytes. */
  async function open(runId: string, address = url): Promise<IncomingMessage> {
    const asked = request(`${address}/api/runs/${runId}/events`, {
      headers: { authorization: `Bearer ${await tokenFor(admin)}` },
      agent: false,
    }).end();
    leaving.push(() => asked.destroy());
    asked.on('error', () => undefined);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  }

  it('are sent from the first, then as they happen', async () => {
    const runId = await start(server);
    await changed(runId, 1);
    const reader = await follow(runId);
    expect((await reader.take(3)).map(({ type }) => type)).toEqual(['CentralClientStartRun', 'node', 'run']);
    await changed(runId, 2);
    const [live] = await reader.take(1);
    expect(live).toMatchObject({ runId, type: 'node', at: 2, data: { node: 'alpha', since: 2 } });
  });

  it('go on after the last one that a reader knows, without a gap to the picture it got', async () => {
    const runId = await start(server);
    await changed(runId, 1);
    const { lastEventId } = await look(server, runId);
    const reader = await follow(runId, lastEventId);
    await changed(runId, 2);
    const [next] = await reader.take(1);
    expect(next?.at).toBe(2);
    expect((await eventsOf(server, runId)).at(-1)).toEqual(next);
  });

  it('are more than fit into one reading', async () => {
    const runId = await start(server);
    const sites = (since: number) =>
      Array.from({ length: 260 }, (_, index) => nodeView(`s${index}`, 'running', { since }));
    await report(server, statusReport(runView(runId, 'running'), sites(1), { at: 1 }));
    const events = await (await follow(runId)).take(262);
    const ids = events.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(events.at(-2)?.data.node).toBe('s259');
    // Who watches a run may leave when it has ended, and has heard of every node by then.
    expect(events.at(-1)?.type).toBe('run');
  });

  it('reach those who follow another replica', async () => {
    const runId = await start(server);
    const replica = await server.startReplica();
    const reader = await follow(runId, undefined, await replica.listen({ host: '127.0.0.1', port: 0 }));
    await reader.take(1);
    await changed(runId, 1);
    expect((await reader.take(2)).map(({ type }) => type)).toEqual(['node', 'run']);
  });

  it('are named, numbered and not to be kept', async () => {
    const runId = await start(server);
    const response = await open(runId);
    expect(response.headers).toMatchObject({
      ...{ 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
      'x-content-type-options': 'nosniff',
    });
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.includes('data:')) break;
    }
    const [first] = await eventsOf(server, runId);
    expect(text).toContain(`id: ${first?.id ?? 0}\nevent: CentralClientStartRun\ndata: {`);
  });

  it('do not pile up for a reader that is slow', async () => {
    const runId = await start(server);
    const wide = 'x'.repeat(100_000);
    const response = await open(runId);
    response.pause();
    for (let at = 1; at <= 60; at += 1)
      await report(
        server,
        statusReport(runView(runId, 'running', { startedBy: `${at} ${wide}` }), [], { at }),
      );
    const ats: number[] = [];
    for await (const { data } of readMessages(response)) {
      const { at, type } = RunEvent.parse(JSON.parse(data));
      if (type === 'run') ats.push(at);
      if (at === 60) break;
    }
    expect(ats).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it.each(['http clients', 'clients that keep connections', 'clients that read no more'])(
    'end with the server, which is not held up by %s that listen',
    async (kind) => {
      const runId = await start(server);
      const replica = await server.startReplica();
      const address = await replica.listen({ host: '127.0.0.1', port: 0 });
      if (kind === 'clients that keep connections') {
        await (await follow(runId, undefined, address)).take(1);
        await replica.close();
        return;
      }
      const response = await open(runId, address);
      const ended = once(response, 'close');
      if (kind === 'clients that read no more') {
        response.pause();
        await report(
          server,
          statusReport(runView(runId, 'running', { startedBy: 'x'.repeat(2 ** 21) }), [], { at: 1 }),
        );
      } else response.resume();
      await replica.close();
      response.resume();
      await ended;
    },
  );

  it('stop being read when the reader leaves', async () => {
    const runId = await start(server);
    const replica: FastifyInstance = await server.startReplica();
    const response = await open(runId, await replica.listen({ host: '127.0.0.1', port: 0 }));
    const connections = () =>
      new Promise<number>((resolve) => replica.server.getConnections((_error, count) => resolve(count)));
    expect(await connections()).toBe(1);
    response.destroy();
    await until(async () => (await connections()) === 0);
  });

  it('are for those who may see the run', async () => {
    const runId = await start(server);
    expect(problemOf(await server.call(`GET /api/runs/${runId}/events`, { as: lead('others') })).status).toBe(
      403,
    );
    expect(problemOf(await server.call('GET /api/runs/imaginary/events'))).toMatchObject({
      ...{ status: 404, detail: 'There is no run imaginary.' },
    });
    const headers = { 'last-event-id': 'the last one' };
    expect(problemOf(await server.call(`GET /api/runs/${runId}/events`, { headers }))).toMatchObject({
      ...{ status: 400, errors: [{ pointer: '/last-event-id', detail: 'must be the id of an event' }] },
    });
  });
});
