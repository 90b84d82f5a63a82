import { decodeJwt } from 'jose';
import { createObjectStore, objectStoreConfigFromEnv } from '../../storage/object-store';
import { RunKitAccess, type AccessClaims } from '../../workflows/api-contract';
import { NodeReport } from '../../workflows/contract';
import { testObjectStoreEnv } from '../support/object-store';
import { eventsOf, look, publishKits, report, signalsTo, start } from './scenes';
import { until } from '../support/until';
import { central, problemOf, SECRET, site, tokenFor, useServer, type TestCaller } from './server';
import { LAUNCH, nodeView, runView, statusReport } from './views';

const NEXT_LAUNCH = 'launch000002';

describe('nodes', () => {
  const server = useServer();
  const publish = (runId: string, nodes: string[], launchId = LAUNCH) =>
    publishKits(server, { runId, launchId }, nodes);
  const getRunKit = (runId: string, node: string, as = site(node), launchId = LAUNCH) =>
    server.call(`POST /api/runs/${runId}/launches/${launchId}/kits/${node}`, { as });
  const signals = (runId: string, count: number) =>
    until(async () => {
      const all = await signalsTo(server, runId);
      return all.length >= count ? all : undefined;
    });

  /** A run of which nothing but its start has been reported, with published kits. */
  async function launched(): Promise<string> {
    const runId = await start(server);
    await publish(runId, ['central', 'alpha', 'beta']);
    return runId;
  }
  const reported = (runId: string, state: 'running' | 'stopped', launchId = LAUNCH, execution = 'one') =>
    report(server, statusReport(runView(runId, state, { launchId }), [], { at: Date.now(), execution }));

  describe('getRunKit', () => {
    it('gives a site its kit, a token for its node, and tells the run, before anything was reported', async () => {
      const runId = await launched();
      const answer = await getRunKit(runId, 'alpha');
      expect(answer.statusCode).toBe(200);
      const { url, reportPath, reportToken } = RunKitAccess.parse(answer.json());
      expect(await (await fetch(url)).text()).toBe(`kit of alpha in ${LAUNCH}`);
      expect(Number(new URL(url).searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(300);
      expect(reportPath).toBe(`/api/runs/${runId}/nodes/alpha/report`);
      expect(decodeJwt(reportToken)).toMatchObject({ role: 'node', runId, launchId: LAUNCH, node: 'alpha' });
      expect(await signals(runId, 1)).toEqual([
        ['status', { launchId: LAUNCH, node: 'alpha', state: 'fetching' }],
      ]);
    });

    it('gives the central worker the kit of the central node', async () => {
      const runId = await launched();
      expect((await getRunKit(runId, 'central', central)).statusCode).toBe(200);
      expect(await signalsTo(server, runId)).toEqual([]);
    });

    it.each<[string, TestCaller]>([
      ['beta', site('alpha')],
      ['central', site('alpha')],
      ['alpha', central],
    ])('does not give the kit of %s to another', async (node, as) => {
      const runId = await launched();
      expect(problemOf(await getRunKit(runId, node, as))).toMatchObject({
        ...{ status: 403, detail: `${as.role} ${as.sub} may not act for the node ${node}.` },
      });
    });

    it('names a kit that there is not', async () => {
      const runId = await launched();
      expect(problemOf(await getRunKit(runId, 'gamma'))).toMatchObject({
        ...{ status: 404, detail: `There is no kit for gamma in launch ${LAUNCH} of run ${runId}.` },
      });
    });

    it('gives kits of a launch that has not been reported yet, and no longer those of the one before', async () => {
      const runId = await launched();
      await reported(runId, 'running');
      expect((await getRunKit(runId, 'alpha')).statusCode).toBe(200);
      await untilTheStoresNextSecond();
      await publish(runId, ['alpha'], NEXT_LAUNCH);
      expect((await getRunKit(runId, 'alpha', site('alpha'), NEXT_LAUNCH)).statusCode).toBe(200);
      await reported(runId, 'running', NEXT_LAUNCH);
      expect((await getRunKit(runId, 'alpha', site('alpha'), NEXT_LAUNCH)).statusCode).toBe(200);
      expect(problemOf(await getRunKit(runId, 'alpha'))).toMatchObject({
        ...{ status: 409, type: 'urn:muster:problem:launch-superseded' },
        detail: `Launch ${LAUNCH} of run ${runId} was followed by ${NEXT_LAUNCH}.`,
      });
    });

    it('gives no kits of a run that has ended, unless it was reset', async () => {
      const runId = await launched();
      const { runId: execution } = await server.temporal.client.workflow.getHandle(runId).describe();
      await reported(runId, 'stopped', LAUNCH, execution);
      expect(problemOf(await getRunKit(runId, 'alpha'))).toMatchObject({
        ...{ status: 409, detail: `Run ${runId} is stopped.` },
      });
      const other = await launched();
      await reported(other, 'stopped', LAUNCH, 'before-the-reset');
      expect((await getRunKit(other, 'alpha')).statusCode).toBe(404);
      await publish(other, ['alpha'], NEXT_LAUNCH);
      expect((await getRunKit(other, 'alpha', site('alpha'), NEXT_LAUNCH)).statusCode).toBe(200);
    });

    it('gives the kit also when the run cannot be told', async () => {
      const runId = await launched();
      await server.temporal.client.workflow.getHandle(runId).terminate();
      expect((await getRunKit(runId, 'alpha')).statusCode).toBe(200);
    });

    it('says that the store does not answer', async () => {
      const nowhere = createObjectStore(
        objectStoreConfigFromEnv({ ...testObjectStoreEnv(), MINIO_ENDPOINT: 'http://127.0.0.1:1' }),
      );
      const replica = await server.startReplica({ objects: nowhere });
      const answer = await replica.inject({
        method: 'POST',
        url: `/api/runs/a-run/launches/${LAUNCH}/kits/central`,
        headers: { authorization: `Bearer ${await tokenFor(central)}` },
      });
      expect(problemOf(answer)).toMatchObject({
        ...{ status: 503, type: 'urn:muster:problem:object-store-unreachable' },
      });
    });
  });

  describe('reportNode', () => {
    /** Posts as a node would, with the token that it got with its kit. */
    async function speaker(runId: string, node: string, launchId = LAUNCH) {
      const { reportPath, reportToken } = RunKitAccess.parse(
        (await getRunKit(runId, node, node === 'central' ? central : site(node), launchId)).json(),
      );
      return (body: object, url = reportPath) =>
        server.app.inject({
          ...{ method: 'POST', url, payload: body },
          headers: { authorization: `Bearer ${reportToken}` },
        });
    }

    /** A run whose central node has reported that it is running. */
    async function running(): Promise<string> {
      const runId = await launched();
      await centralIs(runId, 'running', 10);
      return runId;
    }
    const centralIs = (runId: string, state: 'running' | 'complete', at: number) =>
      report(server, statusReport(runView(runId, 'running'), [nodeView('central', state)], { at }));
    const shown = async (runId: string) => (await look(server, runId)).nodes[0]?.report;
    const told = async (runId: string) =>
      (await eventsOf(server, runId)).flatMap(({ data }) => NodeReport.safeParse(data.report).data ?? []);

    it('shows what a node says of itself, and does not bother the run with it', async () => {
      const runId = await running();
      const say = await speaker(runId, 'central');
      const words = { phase: 'round', detail: '3 of 10', progress: 0.3 };
      expect((await say(words)).statusCode).toBe(204);
      expect(await shown(runId)).toEqual(words);
      expect(await told(runId)).toEqual([words]);
      expect(await signalsTo(server, runId)).toEqual([]);
    });

    it('keeps only the last of its words in the story of the run', async () => {
      const runId = await running();
      const say = await speaker(runId, 'central');
      for (const detail of ['the first', 'the last']) await say({ phase: 'round', detail });
      const words = await until(async () => {
        const all = await told(runId);
        return all.at(-1)?.detail === 'the last' ? all : undefined;
      });
      expect(words).toHaveLength(1);
      const { nodes } = await look(server, runId);
      expect((await eventsOf(server, runId)).map(({ data }) => data)).toContainEqual(nodes[0]);
    });

    it('keeps it while the run reports other things, and after the node has ended', async () => {
      const runId = await running();
      const say = await speaker(runId, 'central');
      await say({ phase: 'round' });
      await centralIs(runId, 'running', 20);
      expect(await shown(runId)).toEqual({ phase: 'round' });
      await centralIs(runId, 'complete', 30);
      expect(await look(server, runId)).toMatchObject({
        nodes: [{ state: 'complete', report: { phase: 'round' } }, {}, {}],
      });
      const again = statusReport(
        runView(runId, 'provisioning', { launchId: NEXT_LAUNCH }),
        [nodeView('central', 'waiting')],
        { at: 40, execution: 'after-the-reset' },
      );
      await report(server, again);
      expect(await shown(runId)).toBeUndefined();
    });

    it('tells of a talkative node once a second, and of its last word', async () => {
      const runId = await running();
      const say = await speaker(runId, 'central');
      const { lastEventId } = await look(server, runId);
      for (let round = 1; round <= 200; round += 1) await say({ phase: 'round', detail: `${round} of 200` });
      const after = await until(async () => {
        const detail = await look(server, runId);
        return detail.nodes[0]?.report?.detail === '200 of 200' ? detail : undefined;
      });
      expect(after.lastEventId - lastEventId).toBeLessThan(40);
    });

    it('takes it, without showing it, before the run itself has said anything of the launch', async () => {
      const runId = await launched();
      const say = await speaker(runId, 'central');
      expect((await say({ phase: 'round' })).statusCode).toBe(204);
      expect(await shown(runId)).toBeUndefined();
    });

    it('wants a report that can be shown', async () => {
      const say = await speaker(await launched(), 'central');
      expect(problemOf(await say({ phase: 'round', progress: 1.5 }))).toMatchObject({
        ...{ status: 400, errors: [{ pointer: '/progress' }] },
      });
    });

    it('takes the token of a node for that node only', async () => {
      const runId = await launched();
      const say = await speaker(runId, 'alpha');
      const other = await launched();
      for (const url of [`/api/runs/${runId}/nodes/beta/report`, `/api/runs/${other}/nodes/alpha/report`])
        expect(problemOf(await say({ phase: 'round' }, url)).status).toBe(403);
      expect(problemOf(await say({ reason: 'x' }, `/api/runs/${runId}/stop`)).status).toBe(403);
    });

    it('takes it no longer when the node has ended', async () => {
      const runId = await launched();
      const say = await speaker(runId, 'alpha');
      await report(server, statusReport(runView(runId, 'running'), [nodeView('alpha', 'failed')], { at: 1 }));
      expect(problemOf(await say({ phase: 'round' }))).toMatchObject({
        ...{ status: 403, detail: 'The token is no longer valid: alpha is failed.' },
      });
    });

    it('takes it no longer when the run was launched again', async () => {
      const runId = await launched();
      const say = await speaker(runId, 'alpha');
      await untilTheStoresNextSecond();
      await publish(runId, ['alpha'], NEXT_LAUNCH);
      await reported(runId, 'running', NEXT_LAUNCH);
      expect(problemOf(await say({ phase: 'round' }))).toMatchObject({
        ...{ status: 409, type: 'urn:muster:problem:launch-superseded' },
      });
    });

    it('takes no token that has expired', async () => {
      const runId = await launched();
      const claims: AccessClaims = { role: 'node', sub: 'x', runId, launchId: LAUNCH, node: 'alpha' };
      const token = await tokenFor(claims, SECRET, '-1s');
      const answer = await server.app.inject({
        ...{ method: 'POST', url: `/api/runs/${runId}/nodes/alpha/report`, payload: { phase: 'round' } },
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.statusCode).toBe(401);
    });
  });

  /** The store tells the age of things in seconds: what is written after this is younger than what was before. */
  async function untilTheStoresNextSecond(): Promise<void> {
    let marks = 0;
    const mark = async () => {
      const key = `marks/${Date.now()}-${(marks += 1)}`;
      await server.objects.putOnce(key, Buffer.from('x'));
      return (await server.objects.stat(key))?.lastModified.getTime() ?? 0;
    };
    const before = await mark();
    await until(async () => (await mark()) > before);
  }
});
