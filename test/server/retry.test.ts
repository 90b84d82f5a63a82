/** Retrying a run: who may, what of, and what Temporal is asked for. */
import { eventsOf, report, start } from './scenes';
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
    let runId: string;
    beforeAll(async () => {
      runId = await start(server);
      const { temporal } = server;
      const worker = await temporal.startWorker({
        taskQueue: 'central',
        workflowBundle: temporal.workflowBundle,
      });
      const handle = temporal.client.workflow.getHandle(runId);
      for (let begun = false; !begun;) {
        const { events } = await handle.fetchHistory();
        begun = events?.some((event) => event.workflowTaskCompletedEventAttributes != null) ?? false;
      }
      worker.shutdown();
    });

    it('is a new execution of the same run, once for each key, and stands in its history with who asked', async () => {
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
