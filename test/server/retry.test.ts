/** Retrying a run: who may, what of, and what Temporal is asked for. */
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { RUN_WORKFLOW, type NodeState, type RunState, type RunView } from '../../workflows/contract';
import { COMPUTATION, eventsOf, look, register, report, signalsTo, start } from './scenes';
import { until } from '../support/until';
import { lead, problemOf, useServer } from './server';
import { LAUNCH, nodeView, runView, statusReport } from './views';

describe('a retry', () => {
  const server = useServer();
  const retry = (runId: string, call: Parameters<typeof server.call>[1] = {}) =>
    server.call(`POST /api/runs/${runId}/retry`, call);
  const executionOf = async (runId: string) =>
    (await server.temporal.client.workflow.getHandle(runId).describe()).runId;

  it('of a run that has done nothing yet leaves it as it is', async () => {
    const runId = await start(server);
    const execution = await executionOf(runId);
    expect((await retry(runId)).statusCode).toBe(202);
    expect(await executionOf(runId)).toBe(execution);
  });

  it('of a run that ended before it did anything is refused', async () => {
    const runId = await start(server);
    await server.temporal.client.workflow.getHandle(runId).terminate();
    expect(problemOf(await retry(runId))).toMatchObject({
      ...{ status: 409, type: 'urn:muster:problem:run-not-begun' },
    });
  });

  it('of a run that is complete is refused', async () => {
    const runId = await start(server);
    await report(server, statusReport(runView(runId, 'complete'), [], { at: 1 }));
    expect(problemOf(await retry(runId))).toMatchObject({
      ...{ status: 409, type: 'urn:muster:problem:run-complete' },
    });
  });

  it('is for who leads the consortium, and for runs that there are', async () => {
    const runId = await start(server);
    expect(problemOf(await retry(runId, { as: lead('another') })).status).toBe(403);
    expect(problemOf(await retry('nobodys')).status).toBe(404);
  });

  describe('of what is under way', () => {
    const states = (central: NodeState, alpha: NodeState, beta: NodeState) => [
      nodeView('central', central),
      nodeView('alpha', alpha),
      nodeView('beta', beta),
    ];
    let count = 0;
    /** A run that has reported to be in this state. */
    async function underWay(
      state: RunState,
      nodes = states('running', 'failed', 'running'),
      mayReturn = true,
    ): Promise<string> {
      const consortium = `returning-${(count += 1)}`;
      await register(server, consortium, {
        computation: { ...COMPUTATION, failure: { onSiteFailure: 'continue', minSites: 1, mayReturn } },
      });
      const runId = await start(server, consortium);
      await report(
        server,
        statusReport(runView(runId, state), nodes, { at: 1, execution: await executionOf(runId) }),
      );
      return runId;
    }
    const retriesOf = async (runId: string) =>
      (await signalsTo(server, runId)).flatMap(([name, payload]) => (name === 'retry' ? [payload] : []));

    it('is asked of the run itself, with who wants it, and told once for each key', async () => {
      const runId = await underWay('running');
      const execution = await executionOf(runId);
      const call = { headers: { 'idempotency-key': 'k' }, body: { from: 'launch', reason: 'stuck' } };
      for (let times = 0; times < 2; times++) expect((await retry(runId, call)).statusCode).toBe(202);
      const asked = { from: 'launch', by: 'admin@example.org', reason: 'stuck', request: 'k' };
      expect(await retriesOf(runId)).toEqual([asked, asked]);
      expect(await executionOf(runId)).toBe(execution);
      const told = (await eventsOf(server, runId)).filter(({ data }) => data.retry === true);
      expect(told).toMatchObject([
        {
          type: 'CentralClientStartRun',
          data: { from: 'launch', startedBy: 'admin@example.org', reason: 'stuck' },
        },
      ]);
    });

    it('is asked no more once the run says that it has heard it', async () => {
      const runId = await underWay('running');
      const view = { launchId: 'launch000002', by: 'admin@example.org', at: 2, request: 'k' };
      const execution = await executionOf(runId);
      const anew = runView(runId, 'publishing', { launchId: 'launch000002', retry: view });
      await report(server, statusReport(anew, [], { at: 2, execution }));
      const call = { headers: { 'idempotency-key': 'k' }, body: { from: 'launch' } };
      expect((await retry(runId, call)).statusCode).toBe(202);
      expect(await retriesOf(runId)).toEqual([]);
      expect((await look(server, runId)).attempts).toMatchObject([
        { launchId: LAUNCH, how: 'start', state: 'stopped', endedAt: 2 },
        {
          launchId: 'launch000002',
          how: 'retry',
          from: 'launch',
          by: 'admin@example.org',
          state: 'publishing',
        },
      ]);
    });

    it('can be of one site, or of all that are not complete', async () => {
      const runId = await underWay('running');
      expect((await retry(runId, { body: { site: 'alpha' } })).statusCode).toBe(202);
      expect((await retry(runId, { body: { from: 'sites' } })).statusCode).toBe(202);
      expect(await retriesOf(runId)).toMatchObject([{ from: 'sites', sites: ['alpha'] }, { from: 'sites' }]);
    });

    it('of one site is an attempt of its own, and its node is heard under it', async () => {
      const runId = await underWay('running');
      const execution = await executionOf(runId);
      const own = { launchId: 'launch000002', by: 'lead', reason: 'mended', at: 5 };
      const says = (node: ReturnType<typeof nodeView>, at: number) =>
        report(server, statusReport(runView(runId, 'running'), [node], { at, execution }));
      const ofSite = async () => (await look(server, runId)).attempts.filter(({ node }) => node === 'alpha');
      await says(nodeView('alpha', 'waiting', { retry: own, since: 5 }), 5);
      const attempt = {
        ...{ launchId: 'launch000002', node: 'alpha', how: 'retry', from: 'sites', by: 'lead' },
        ...{ reason: 'mended', startedAt: 5 },
      };
      expect(await ofSite()).toEqual([{ ...attempt, state: 'waiting' }]);
      const error = { node: 'alpha', phase: 'superviseNode', type: 'NodeExited', message: 'again' };
      await says(nodeView('alpha', 'failed', { retry: own, since: 7, error }), 7);
      expect(await ofSite()).toEqual([{ ...attempt, state: 'failed', endedAt: 7, error }]);
      const { errors, run } = await look(server, runId);
      expect(errors).toMatchObject([{ launchId: 'launch000002', message: 'again' }]);
      expect(run.launchId).toBe(LAUNCH);

      await says(
        nodeView('alpha', 'waiting', { retry: { ...own, launchId: 'launch000003', at: 8 }, since: 8 }),
        8,
      );
      await report(
        server,
        statusReport(
          runView(runId, 'provisioning', { launchId: 'launch000004' }),
          states('waiting', 'waiting', 'waiting'),
          {
            ...{ at: 9, execution },
          },
        ),
      );
      expect((await look(server, runId)).attempts.map(({ launchId, state }) => [launchId, state])).toEqual([
        [LAUNCH, 'stopped'],
        ['launch000002', 'failed'],
        ['launch000003', 'stopped'],
        ['launch000004', 'provisioning'],
      ]);
      expect((await look(server, runId)).nodes[1]?.retry).toBeUndefined();
    });

    it.each<[string, object, () => Promise<string>, RegExp]>([
      ['a run that has failed', { from: 'launch' }, () => underWay('failed'), /is failed: its kits are gone/],
      ['a run that is being stopped', { from: 'launch' }, () => underWay('stopping'), /is being stopped/],
      ['a run without kits', { from: 'launch' }, () => underWay('provisioning'), /has no kits yet/],
      ['a run whose sites are still told', { site: 'alpha' }, () => underWay('launching'), /not all told/],
      [
        'a computation that takes no site in again',
        { site: 'alpha' },
        () => underWay('running', undefined, false),
        /mayReturn in its manifest/,
      ],
      [
        'a site that nobody is there for',
        { site: 'alpha' },
        () => underWay('running', states('complete', 'failed', 'running')),
        /no site can join it/,
      ],
      [
        'a site that is complete',
        { site: 'alpha' },
        () => underWay('running', states('running', 'complete', 'running')),
        /alpha is complete/,
      ],
      [
        'sites that are all complete',
        { from: 'sites' },
        () => underWay('running', states('running', 'complete', 'complete')),
        /Every site/,
      ],
    ])('is refused with what to do instead: %s', async (_, body, given, why) => {
      const runId = await given();
      const problem = problemOf(await retry(runId, { body }));
      expect(problem).toMatchObject({ status: 409, type: 'urn:muster:problem:retry-impossible' });
      expect(problem.detail).toMatch(why);
      expect(await retriesOf(runId)).toEqual([]);
    });

    it('is refused of what is not a site of the run, and where site and step contradict each other', async () => {
      const runId = await underWay('running');
      for (const site of ['gamma', 'central'])
        expect([400, 404]).toContain(problemOf(await retry(runId, { body: { site } })).status);
      const wrong = problemOf(await retry(runId, { body: { site: 'alpha', from: 'launch' } }));
      expect(wrong).toMatchObject({ status: 400, errors: [{ pointer: '/site' }] });
    });

    it('is refused of a run that has ended without saying so', async () => {
      const runId = await underWay('running');
      await server.temporal.client.workflow.getHandle(runId).terminate();
      const refused = await until(async () => {
        const answer = await retry(runId, { body: { from: 'launch' } });
        return answer.statusCode === 409 ? answer : undefined;
      });
      expect(problemOf(refused).detail).toContain('Retry it from provision');
    });
  });

  describe('of a run that has begun', () => {
    /** A run whose workflow has done something. */
    async function begun(): Promise<string> {
      const runId = await start(server);
      const { temporal } = server;
      const worker = await temporal.startWorker({
        taskQueue: 'central',
        workflowBundle: temporal.workflowBundle,
      });
      const handle = temporal.client.workflow.getHandle(runId);
      for (let done = false; !done;) {
        const { events } = await handle.fetchHistory();
        done = events?.some((event) => event.workflowTaskCompletedEventAttributes != null) ?? false;
      }
      worker.shutdown();
      return runId;
    }

    it('is an attempt of its own, with who asked for it; so is what was begun in Temporal', async () => {
      const runId = await begun();
      const attempts = async () => (await look(server, runId)).attempts;
      const says = async (launchId: string, state: RunState, at: number, more: Partial<RunView> = {}) =>
        report(
          server,
          statusReport(runView(runId, state, { launchId, since: at, startedAt: at, ...more }), [], {
            ...{ at, execution: await executionOf(runId) },
          }),
        );
      expect(await attempts()).toEqual([]);
      await says('launch000001', 'running', 10);
      const first = { launchId: 'launch000001', how: 'start', by: 'someone', startedAt: 10 };
      expect(await attempts()).toEqual([{ ...first, state: 'running' }]);
      const error = { node: 'alpha', phase: 'superviseNode', type: 'NodeExited', message: 'exit code 1' };
      await says('launch000001', 'failed', 20, { startedAt: 10, error });
      const failed = { ...first, state: 'failed', endedAt: 20, error };
      expect(await attempts()).toEqual([failed]);

      const body = { reason: 'the disk has room again' };
      expect((await retry(runId, { body })).statusCode).toBe(202);
      await says('launch000002', 'provisioning', 30);
      const second = {
        ...body,
        launchId: 'launch000002',
        how: 'retry',
        from: 'provision',
        by: 'admin@example.org',
        startedAt: 30,
      };
      expect(await attempts()).toEqual([failed, { ...second, state: 'provisioning' }]);

      const { workflow } = server.temporal.client;
      await workflow.getHandle(runId).terminate();
      await workflow.start(RUN_WORKFLOW, { workflowId: runId, taskQueue: 'nobody-polls-this' });
      await says('launch000003', 'provisioning', 40);
      expect(await attempts()).toEqual([
        failed,
        { ...second, state: 'stopped', endedAt: 40 },
        { launchId: 'launch000003', how: 'temporal', by: 'Temporal', startedAt: 40, state: 'provisioning' },
      ]);
    });

    it('is a new execution of the same run, once for each key, and stands in its history with who asked', async () => {
      const runId = await begun();
      const first = await executionOf(runId);
      const call = { headers: { 'idempotency-key': 'again' }, body: { reason: 'the data is back' } };
      expect((await retry(runId, call)).statusCode).toBe(202);
      const second = await executionOf(runId);
      expect(second).not.toBe(first);
      expect((await retry(runId, call)).statusCode).toBe(202);
      expect(await executionOf(runId)).toBe(second);
      const told = (await eventsOf(server, runId)).filter(({ type }) => type === 'CentralClientStartRun');
      expect(told).toHaveLength(2);
      expect(told[1]?.data).toMatchObject({
        ...{ retry: true, startedBy: 'admin@example.org', reason: 'the data is back' },
      });
      const history = await server.temporal.client.workflow.getHandle(runId).fetchHistory();
      const kept = historyToJSON(history);
      expect(kept).toContain('retried in Muster');
      expect(kept).not.toMatch(/the data is back|admin@example/);
    });
  });
});
