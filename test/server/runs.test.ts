import { eq } from 'drizzle-orm';
import { runs } from '../../server/db/schema';
import { connectTemporal, createRuns } from '../../server/runs/temporal';
import { ConsortiumList, ConsortiumView, RunDetail, RunList } from '../../workflows/api-contract';
import { TEST_KEYS } from '../support/sealed';
import { consortiumDraft, eventsOf, look, register, report, signalsTo, start, statesOf } from './scenes';
import { callOn, lead, problemOf, PUBLIC_URL, TEMPORAL_UI, useServer, type Bearer } from './server';
import { nodeView, runView, statusReport } from './views';

describe('runs and consortia, as people see them', () => {
  const server = useServer();
  const { temporal } = server;
  const workflow = (runId: string) => temporal.client.workflow.getHandle(runId);
  /** As if the last report were long ago. */
  const forget = (runId: string) => server.db.update(runs).set({ updatedAt: 0 }).where(eq(runs.runId, runId));
  const idsOf = (answer: { json: () => unknown }) =>
    RunList.parse(answer.json()).runs.map(({ runId }) => runId);

  describe('consortia', () => {
    it('are kept with what was left out filled in, and replaced as a whole', async () => {
      await register(server, 'kept', { parameters: { a: 1 } });
      await register(server, 'kept', { name: 'Another name' });
      const consortium = ConsortiumView.parse((await server.call('GET /api/consortia/kept')).json());
      expect(consortium).toMatchObject({
        ...{ id: 'kept', name: 'Another name', parameters: {} },
        computation: { name: 'example', version: '1.0.0' },
        windows: { retry: '10m' },
      });
    });

    it('need a computation that is registered', async () => {
      const body = consortiumDraft({ computation: { name: 'example', version: '0.0.0' } });
      expect(problemOf(await server.call('PUT /api/consortia/early', { body }))).toMatchObject({
        ...{ status: 404, type: 'urn:muster:problem:unknown-computation' },
        detail: 'example 0.0.0 is not registered.',
      });
    });

    it('are shown to those who lead them', async () => {
      await register(server, 'one');
      await register(server, 'two');
      const answer = await server.call('GET /api/consortia', { as: lead('two', 'three') });
      expect(ConsortiumList.parse(answer.json()).consortia.map(({ id }) => id)).toEqual(['two']);
      expect(problemOf(await server.call('GET /api/consortia/one', { as: lead('two') })).status).toBe(403);
      expect(problemOf(await server.call('GET /api/consortia/three', { as: lead('three') }))).toMatchObject({
        ...{ status: 404, detail: 'There is no consortium three.' },
      });
      const all = await server.call('GET /api/consortia');
      expect(ConsortiumList.parse(all.json()).consortia.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['one', 'two']) as string[],
      );
    });
  });

  describe('the list', () => {
    it('has the newest first, of the consortium asked for, as many as asked for', async () => {
      const first = await start(server, 'listed');
      const second = await start(server, 'listed');
      await start(server, 'unlisted');
      expect(idsOf(await server.call('GET /api/runs?consortium=listed'))).toEqual([second, first]);
      expect(idsOf(await server.call('GET /api/runs?consortium=listed&limit=1'))).toEqual([second]);
      const [run] = RunList.parse((await server.call('GET /api/runs?consortium=listed')).json()).runs;
      expect(run).toMatchObject({ sites: 2, state: 'provisioning' });
      expect(idsOf(await server.call('GET /api/runs?consortium=nobodies'))).toEqual([]);
    });

    it('has only what the caller leads', async () => {
      const mine = await start(server, 'mine');
      const other = await start(server, 'not-mine');
      expect(idsOf(await server.call('GET /api/runs', { as: lead('mine') }))).toEqual([mine]);
      expect(idsOf(await server.call('GET /api/runs?consortium=not-mine', { as: lead('mine') }))).toEqual([]);
      expect(problemOf(await server.call(`GET /api/runs/${other}`, { as: lead('mine') })).status).toBe(403);
      expect(idsOf(await server.call('GET /api/runs'))).toEqual(expect.arrayContaining([mine, other]));
    });
  });

  it('a run says where it can be looked at', async () => {
    const runId = await start(server);
    const { links } = await look(server, runId);
    expect(links).toEqual({
      page: `${PUBLIC_URL}/runs/${runId}`,
      temporal: `${TEMPORAL_UI}/namespaces/${temporal.namespace}/workflows/${runId}`,
    });
  });

  it('a run that nobody has heard of is named', async () => {
    expect(problemOf(await server.call('GET /api/runs/no-such-run'))).toMatchObject({
      ...{ status: 404, type: 'urn:muster:problem:unknown-run', detail: 'There is no run no-such-run.' },
    });
  });

  describe('a run that ended without saying so', () => {
    it('is shown as failed when it was terminated, and those who follow it are told', async () => {
      const runId = await start(server, 'terminated');
      const nodes = [nodeView('central', 'running'), nodeView('alpha', 'complete')];
      await report(server, statusReport(runView(runId, 'running'), nodes, { at: 1 }));
      await workflow(runId).terminate('the host is on fire');
      await forget(runId);
      const { run, errors } = await look(server, runId);
      expect(run).toMatchObject({ state: 'failed', error: { type: 'RunFailed', phase: 'running' } });
      expect(run.error?.message).toMatch(/^The workflow was terminated in Temporal.*the host is on fire/);
      expect(await statesOf(server, runId)).toMatchObject({
        central: 'lost',
        alpha: 'complete',
        beta: 'lost',
      });
      expect(errors).toMatchObject([{ type: 'RunFailed', retrying: false }]);
      const last = (await eventsOf(server, runId)).slice(-4).map(({ type }) => type);
      expect(last).toEqual(['node', 'node', 'error', 'run']);
    });

    it('is shown so in the list too', async () => {
      const runId = await start(server, 'in-the-list');
      await workflow(runId).terminate();
      await forget(runId);
      const { runs: list } = RunList.parse(
        (await server.call('GET /api/runs?consortium=in-the-list')).json(),
      );
      expect(list).toMatchObject([{ runId, state: 'failed' }]);
    });

    it('stays as it is shown, whatever the lost execution still says, until it is reset', async () => {
      const runId = await start(server, 'late-words');
      const { runId: execution } = await workflow(runId).describe();
      await report(server, statusReport(runView(runId, 'running'), [], { at: 1, execution }));
      await workflow(runId).terminate();
      await forget(runId);
      expect((await look(server, runId)).run.state).toBe('failed');
      await report(server, statusReport(runView(runId, 'stopping'), [], { at: 2, execution }));
      expect((await look(server, runId)).run.state).toBe('failed');
      await report(server, statusReport(runView(runId, 'running'), [], { at: 3, execution: 'the-next' }));
      expect((await look(server, runId)).run.state).toBe('running');
    });

    it('is shown as failed when Temporal has forgotten it', async () => {
      await report(
        server,
        statusReport(runView('forgotten', 'running'), [nodeView('alpha', 'running')], { at: 1 }),
      );
      await forget('forgotten');
      const { run } = await look(server, 'forgotten');
      expect(run.error?.message).toBe('Temporal does not know this run any more: its history was deleted.');
    });

    it('is shown as it was last known while Temporal does not answer', async () => {
      const runId = await start(server, 'unknowable');
      await forget(runId);
      const deaf = connectTemporal({ address: '127.0.0.1:1', namespace: 'default' }, TEST_KEYS);
      temporal.onClose(() => deaf.connection.close());
      const replica = await server.startReplica({ temporal: createRuns(deaf) });
      const answer = await callOn(replica, `GET /api/runs/${runId}`);
      expect(RunDetail.parse(answer.json()).run.state).toBe('provisioning');
    });
  });

  describe('stopRun', () => {
    const stop = (runId: string, body?: object, as: Bearer = lead('stopping')) =>
      server.call(`POST /api/runs/${runId}/stop`, { as, body });

    it('asks the run to stop, however often', async () => {
      const runId = await start(server, 'stopping');
      expect((await stop(runId, { reason: 'wrong data' })).statusCode).toBe(202);
      await report(server, statusReport(runView(runId, 'stopping'), [], { at: 1 }));
      expect((await stop(runId)).statusCode).toBe(202);
      expect(await signalsTo(server, runId)).toEqual([
        ['stop', { by: 'lead@example.org', reason: 'wrong data' }],
        ['stop', { by: 'lead@example.org' }],
      ]);
    });

    it('is too late for a run that has ended, and says how it ended', async () => {
      const runId = await start(server, 'stopping');
      const { runId: execution } = await workflow(runId).describe();
      await report(server, statusReport(runView(runId, 'complete'), [], { at: 1, execution }));
      const problem = problemOf(await stop(runId));
      expect(problem).toMatchObject({ status: 409, type: 'urn:muster:problem:run-ended' });
      expect(problem.detail).toBe(`Run ${runId} is complete: there is nothing to stop.`);
      expect(await signalsTo(server, runId)).toEqual([]);
    });

    it('is too late for a run that was terminated', async () => {
      const runId = await start(server, 'stopping');
      await workflow(runId).terminate();
      expect(problemOf(await stop(runId))).toMatchObject({
        ...{ status: 409, detail: `Run ${runId} is failed: there is nothing to stop.` },
      });
    });

    it('reaches a run that was reset after it had ended', async () => {
      const runId = await start(server, 'stopping');
      await report(
        server,
        statusReport(runView(runId, 'failed'), [], { at: 1, execution: 'before-the-reset' }),
      );
      expect((await stop(runId)).statusCode).toBe(202);
      expect(await signalsTo(server, runId)).toHaveLength(1);
    });

    it('reaches, for an admin, a run that only Temporal has heard of', async () => {
      await temporal.client.workflow.start('RunWorkflow', {
        ...{ workflowId: 'web-ui-run', taskQueue: 'central', args: [{}] },
      });
      expect(problemOf(await stop('web-ui-run'))).toMatchObject({ status: 404 });
      const answer = await server.call('POST /api/runs/web-ui-run/stop', { body: { reason: 'mine' } });
      expect(answer.statusCode).toBe(202);
      expect(await signalsTo(server, 'web-ui-run')).toEqual([
        ['stop', { by: 'admin@example.org', reason: 'mine' }],
      ]);
      expect(problemOf(await server.call('POST /api/runs/imaginary/stop'))).toMatchObject({
        ...{ status: 404, detail: 'There is no run imaginary.' },
      });
    });

    it('is for those who lead the consortium', async () => {
      const runId = await start(server, 'stopping');
      expect(problemOf(await stop(runId, {}, lead('others'))).status).toBe(403);
      expect(await signalsTo(server, runId)).toEqual([]);
    });
  });
});
