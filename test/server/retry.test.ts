/** Retrying a run: who may, what of, and what Temporal is asked for. */
import { RUN_WORKFLOW, type RunState, type RunView } from '../../workflows/contract';
import { eventsOf, look, report, start } from './scenes';
import { lead, problemOf, useServer } from './server';
import { runView, statusReport } from './views';

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
    });
  });
});
