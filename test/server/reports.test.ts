import { RunList } from '../../workflows/api-contract';
import type { NodeError } from '../../workflows/contract';
import { describeOnEachDatabase } from './databases';
import { eventsOf, look, report, signalsTo, start, statesOf } from './scenes';
import { until } from '../support/until';
import { central, problemOf, site, useServer } from './server';
import { errorReport, LAUNCH, nodeView, runView, statusReport } from './views';

describeOnEachDatabase('reports', (kind) => {
  const server = useServer(kind);
  const exited: NodeError = {
    node: 'alpha',
    phase: 'superviseNode',
    type: 'NodeExited',
    message: 'exit code 1',
  };

  describe('reportStatusCentral', () => {
    it('updates the run and the nodes that it is about, and tells of what changed', async () => {
      const runId = await start(server);
      const nodes = [
        nodeView('central', 'running', { containerId: 'c0ffee' }),
        nodeView('alpha', 'fetching'),
      ];
      await report(server, statusReport(runView(runId, 'launching'), nodes, { at: 10 }));
      expect(await statesOf(server, runId)).toEqual({
        ...{ run: 'launching', central: 'running', alpha: 'fetching', beta: 'waiting' },
      });
      const { nodes: views, lastEventId } = await look(server, runId);
      expect(views[0]).toMatchObject({ node: 'central', containerId: 'c0ffee' });
      const [, ...told] = await eventsOf(server, runId);
      expect(told.map(({ type, at }) => [type, at])).toEqual([
        ['node', 10],
        ['node', 10],
        ['run', 10],
      ]);
      expect(told[1]).toMatchObject({ data: nodes[1] });
      expect(told.at(-1)).toMatchObject({ id: lastEventId, data: { state: 'launching' } });
    });

    it('tells of nothing when nothing is different', async () => {
      const runId = await start(server);
      const body = statusReport(runView(runId, 'launching'), [nodeView('alpha', 'fetching')], { at: 10 });
      await report(server, body);
      const before = await eventsOf(server, runId);
      await report(server, body);
      await report(server, { ...body, at: 11 });
      expect(await eventsOf(server, runId)).toEqual(before);
    });

    it('does not let an older report undo a newer one', async () => {
      const runId = await start(server);
      await report(
        server,
        statusReport(runView(runId, 'running'), [nodeView('alpha', 'running')], { at: 20 }),
      );
      await report(
        server,
        statusReport(runView(runId, 'launching'), [nodeView('alpha', 'fetching')], { at: 10 }),
      );
      expect(await statesOf(server, runId)).toMatchObject({ run: 'running', alpha: 'running' });
    });

    it('keeps what has ended, until the run is reset', async () => {
      const runId = await start(server);
      const running = (at: number, execution?: string) =>
        statusReport(runView(runId, 'running'), [nodeView('alpha', 'running')], {
          at,
          ...(execution !== undefined && { execution }),
        });
      await report(server, statusReport(runView(runId, 'failed'), [nodeView('alpha', 'failed')], { at: 10 }));
      await report(server, running(20));
      expect(await statesOf(server, runId)).toMatchObject({ run: 'failed', alpha: 'failed' });
      await report(server, running(20, 'after-the-reset'));
      expect(await statesOf(server, runId)).toMatchObject({ run: 'running', alpha: 'running' });
    });

    it('takes in reports of one run that arrive at once', async () => {
      const runId = await start(server);
      const at = [5, 3, 8, 1, 7, 2, 6, 4];
      await Promise.all(
        at.map((moment) =>
          report(
            server,
            statusReport(
              runView(runId, 'running', { since: moment }),
              [nodeView('alpha', 'running', { since: moment })],
              {
                at: moment,
              },
            ),
          ),
        ),
      );
      const { run, nodes } = await look(server, runId);
      expect([run.since, nodes[1]?.since]).toEqual([8, 8]);
      const ids = (await eventsOf(server, runId)).map(({ id }) => id);
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
    });

    it('makes a run known that was started elsewhere, its nodes in their order', async () => {
      const nodes = ['central', 'zeta', 'alpha'].map((node) => nodeView(node, 'waiting'));
      await report(server, statusReport(runView('from-the-web-ui', 'provisioning'), nodes, { at: 1 }));
      const { run, nodes: views } = await look(server, 'from-the-web-ui');
      expect(run).toMatchObject({ runId: 'from-the-web-ui', startedBy: 'someone' });
      expect(views.map(({ node }) => node)).toEqual(['central', 'zeta', 'alpha']);
      const { runs } = RunList.parse((await server.call('GET /api/runs?consortium=penguins')).json());
      expect(runs.find(({ runId }) => runId === 'from-the-web-ui')).toMatchObject({ sites: 2 });
    });

    it('takes a thousand sites', async () => {
      const sites = Array.from({ length: 1000 }, (_, index) => nodeView(`site-${index}`, 'running'));
      await report(
        server,
        statusReport(runView('large', 'running'), [nodeView('central', 'running'), ...sites], { at: 1 }),
      );
      const { nodes } = await look(server, 'large');
      expect(nodes.map(({ node }) => node).slice(0, 3)).toEqual(['central', 'site-0', 'site-1']);
      expect(nodes).toHaveLength(1001);
    });

    it('keeps words that hold any character', async () => {
      const error = { ...exited, message: 'last words: \u0000 \ud800 "\\ \u2028 é' };
      const runId = await start(server);
      await report(
        server,
        statusReport(runView(runId, 'failed', { error }), [nodeView('alpha', 'failed', { error })], {
          at: 1,
        }),
      );
      const { run, errors } = await look(server, runId);
      expect(run.error?.message).toBe(error.message);
      expect(errors).toMatchObject([{ message: error.message, count: 1 }]);
    });

    it('is refused when it is about another run', async () => {
      const body = statusReport(runView('one', 'running'), [], { at: 1 });
      const answer = await server.call('POST /api/runs/two/status', { as: central, body });
      expect(problemOf(answer)).toMatchObject({
        status: 400,
        errors: [{ pointer: '/run/runId', detail: 'is one, but the path says two' }],
      });
    });

    it('puts failures into the error log, with what to do, once', async () => {
      const runId = await start(server);
      const failed = [nodeView('alpha', 'failed', { error: exited })];
      await report(server, statusReport(runView(runId, 'stopping'), failed, { at: 10 }));
      await report(server, statusReport(runView(runId, 'failed', { error: exited }), failed, { at: 20 }));
      expect((await look(server, runId)).errors).toEqual([
        {
          ...exited,
          ...{ runId, launchId: LAUNCH, count: 1, firstAt: 10, lastAt: 10, retrying: false },
          turn: "the computation's author",
          advice: "Read the node's last log lines.",
        },
      ]);
      const told = (await eventsOf(server, runId)).filter(({ type }) => type === 'error');
      expect(told).toHaveLength(1);
    });
  });

  describe('reportRunStartedCentral', () => {
    it('tells the sites once for each launch', async () => {
      const runId = await start(server);
      const endpoint = { host: 'central.example.org', ports: [20000] };
      const started = (launchId: string, at: number) =>
        server.call(`POST /api/runs/${runId}/started`, {
          as: central,
          body: { launchId, endpoint, sites: ['alpha', 'beta'], at },
        });
      for (const [launchId, at] of [
        [LAUNCH, 5],
        [LAUNCH, 6],
        ['launch000002', 7],
      ] as const)
        expect((await started(launchId, at)).statusCode).toBe(204);
      const told = (await eventsOf(server, runId)).filter(({ type }) => type === 'EdgeClientStartRun');
      expect(told.map(({ at, data }) => [at, data])).toEqual([
        [5, { launchId: LAUNCH, sites: ['alpha', 'beta'] }],
        [7, { launchId: 'launch000002', sites: ['alpha', 'beta'] }],
      ]);
    });
  });

  describe('the error log', () => {
    const post = (runId: string, body: object, as = site('alpha')) =>
      server.call(`POST /api/runs/${runId}/errors/${as.role === 'site' ? 'edge' : 'central'}`, { as, body });

    it('counts a failure that is tried again, and tells the run of it', async () => {
      const runId = await start(server);
      for (const at of [10, 20, 20, 30])
        expect((await post(runId, errorReport({}, true, at))).statusCode).toBe(204);
      const { errors } = await look(server, runId);
      expect(errors).toMatchObject([
        { node: 'alpha', type: 'DataMissing', count: 3, firstAt: 10, lastAt: 30, retrying: true },
      ]);
      expect(errors[0]?.advice).toContain('maps the dataset');
      const [[name, payload] = []] = await until(async () => {
        const signals = await signalsTo(server, runId);
        return signals.length > 0 ? signals : undefined;
      });
      expect([name, payload]).toEqual([
        'status',
        { launchId: LAUNCH, node: 'alpha', attention: errorReport({}, true, 1).error },
      ]);
    });

    it('says when it is no longer tried again', async () => {
      const runId = await start(server);
      await post(runId, errorReport({}, true, 10));
      await report(
        server,
        statusReport(runView(runId, 'running'), [nodeView('alpha', 'running')], { at: 20 }),
      );
      expect((await look(server, runId)).errors).toMatchObject([{ count: 1, retrying: false }]);
      const told = (await eventsOf(server, runId)).filter(({ type }) => type === 'error');
      expect(told.map(({ data }) => data.retrying)).toEqual([true, false]);
    });

    it('knows a failure that was retried and is now final for the same one', async () => {
      const runId = await start(server);
      const { error } = errorReport({}, true, 10);
      await post(runId, errorReport({}, true, 10));
      await report(
        server,
        statusReport(runView(runId, 'failed', { error }), [nodeView('alpha', 'failed', { error })], {
          at: 20,
        }),
      );
      expect((await look(server, runId)).errors).toMatchObject([{ count: 1, retrying: false }]);
    });

    it('takes failures of any node from the central worker, and does not bother the run with final ones', async () => {
      const runId = await start(server);
      expect(
        (await post(runId, errorReport({ node: 'central', type: 'Strange' }, false, 10), central)).statusCode,
      ).toBe(204);
      expect((await look(server, runId)).errors).toMatchObject([
        { node: 'central', type: 'Strange', retrying: false },
      ]);
      expect(await signalsTo(server, runId)).toEqual([]);
    });

    it('takes a failure of a run that it has not heard of, if Temporal has', async () => {
      const { client } = server.temporal;
      await client.workflow.start('RunWorkflow', {
        workflowId: 'unheard-of',
        taskQueue: 'central',
        args: [{}],
      });
      expect((await post('unheard-of', errorReport({}, false, 10))).statusCode).toBe(204);
      expect(problemOf(await post('imaginary', errorReport({}, false, 10)))).toMatchObject({
        ...{ status: 404, type: 'urn:muster:problem:unknown-run' },
      });
    });

    it('takes from a site only what is its own', async () => {
      const runId = await start(server);
      expect(problemOf(await post(runId, errorReport({ node: 'beta' }, false, 1)))).toMatchObject({
        ...{ status: 403, detail: 'site alpha may not act for the node beta.' },
      });
      const stranger = await post(runId, errorReport({ node: 'gamma' }, false, 1), site('gamma'));
      expect(problemOf(stranger)).toMatchObject({
        ...{ status: 403, detail: `Site gamma takes no part in run ${runId}.` },
      });
    });
  });
});
