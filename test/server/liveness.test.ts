/** Which launches a worker may clean up after: only those that Temporal knows to be over. */
import { LaunchesLiveness, type AccessClaims } from '../../workflows/api-contract';
import {
  CENTRAL_QUEUE,
  EDGE_RUN_WORKFLOW,
  edgeRunWorkflowId,
  snapshotQuery,
  type RunState,
} from '../../workflows/contract';
import { report, signalsTo, start } from './scenes';
import { until } from '../support/until';
import { central, problemOf, site, useServer, type TestCaller } from './server';
import { LAUNCH, nodeView, runView, statusReport } from './views';

const OTHER_LAUNCH = 'launch000002';

describe('askLiveness', () => {
  const server = useServer();
  const { temporal } = server;

  async function ask(as: TestCaller, runId: string, launchId = LAUNCH) {
    const answer = await server.call('POST /api/launches/live', {
      as,
      body: { launches: [{ runId, launchId }] },
    });
    expect(answer.statusCode).toBe(200);
    const [launch] = LaunchesLiveness.parse(answer.json()).launches;
    expect(launch).toMatchObject({ runId, launchId });
    return launch?.state;
  }
  const openPart = (runId: string, id: string) =>
    temporal.client.workflow.start(EDGE_RUN_WORKFLOW, {
      workflowId: edgeRunWorkflowId(runId, id),
      taskQueue: 'nobody-polls-this',
    });
  const terminate = (workflowId: string) => temporal.client.workflow.getHandle(workflowId).terminate();
  const reported = (runId: string, state: RunState) =>
    report(server, statusReport(runView(runId, state), [nodeView('alpha', 'running')], { at: Date.now() }));

  /** A run at work, with the site alpha's part in it. */
  async function running(): Promise<string> {
    const runId = await start(server);
    await reported(runId, 'running');
    await openPart(runId, 'alpha');
    return runId;
  }

  it('a run at work is live, at its central host and at its sites', async () => {
    const runId = await running();
    expect(await ask(central, runId)).toBe('live');
    expect(await ask(site('alpha'), runId)).toBe('live');
  });

  it('a run that was terminated is over for everyone, although it never reported it', async () => {
    const runId = await running();
    await terminate(runId);
    expect(await ask(central, runId)).toBe('over');
    expect(await ask(site('alpha'), runId)).toBe('over');
  });

  it("a site whose part was terminated is rid of it, while the run's central host is not", async () => {
    const runId = await running();
    await terminate(edgeRunWorkflowId(runId, 'alpha'));
    expect(await ask(site('alpha'), runId)).toBe('over');
    expect(await ask(central, runId)).toBe('live');
  });

  it('a run is told of a part that was terminated alone, unless it has heard of the end of the node', async () => {
    const [alone, orderly] = [await running(), await running()];
    for (const runId of [orderly, alone]) {
      await terminate(edgeRunWorkflowId(runId, 'alpha'));
      for (let times = 0; times < 3; times += 1) expect(await ask(site('alpha'), runId)).toBe('over');
      expect(await ask(site('alpha'), runId, OTHER_LAUNCH)).toBe('over');
    }
    const stopped = statusReport(runView(orderly, 'running'), [nodeView('alpha', 'stopped')], {
      at: Date.now(),
    });
    await report(server, stopped);
    const told = await until(async () => {
      const all = await signalsTo(server, alone);
      return all.length > 0 ? all : undefined;
    });
    const message = 'The part of the run at alpha was ended in Temporal; its node is stopped.';
    const error = { node: 'alpha', phase: 'running', type: 'NodeLost', message };
    expect(told).toEqual([['error', { launchId: LAUNCH, state: 'lost', error }]]);
    expect(await ask(site('alpha'), alone)).toBe('over');
    expect(await signalsTo(server, orderly)).toEqual([]);
  });

  it('a run whose row says that it ended, while it is at work again, is live', async () => {
    const runId = await running();
    await reported(runId, 'failed');
    expect(await ask(central, runId)).toBe('live');
    expect(await ask(site('alpha'), runId)).toBe('live');
  });

  it('a launch that nobody can say anything of is unknown: the run answers no questions', async () => {
    const runId = await running();
    expect(await ask(central, runId, OTHER_LAUNCH)).toBe('unknown');
  });

  it('a run that neither Temporal nor the API has heard of is unknown', async () => {
    expect(await ask(central, 'of-another-namespace')).toBe('unknown');
    expect(await ask(site('alpha'), 'of-another-namespace')).toBe('unknown');
  });

  it('a run that Temporal has forgotten is over if it had reported its end, else unknown', async () => {
    await reported('forgotten-at-work', 'running');
    expect(await ask(central, 'forgotten-at-work')).toBe('unknown');
    expect(await ask(site('alpha'), 'forgotten-at-work')).toBe('unknown');
    await reported('forgotten-ended', 'failed');
    expect(await ask(central, 'forgotten-ended')).toBe('over');
    expect(await ask(site('alpha'), 'forgotten-ended')).toBe('over');
  });

  it('a site learns nothing of a run that it has no part in', async () => {
    const runId = await running();
    expect(await ask(site('gamma'), runId)).toBe('unknown');
    await terminate(runId);
    expect(await ask(site('gamma'), runId)).toBe('unknown');
  });

  it.each<[string, AccessClaims]>([
    ['an admin', { role: 'admin', sub: 'someone' }],
    ['a node', { role: 'node', sub: 'n', runId: 'r', launchId: LAUNCH, node: 'alpha' }],
  ])('is not for %s', async (_who, as) => {
    const answer = await server.call('POST /api/launches/live', { as, body: { launches: [] } });
    expect(problemOf(answer).status).toBe(403);
  });

  it('of a run that has not reported yet, the run itself says which launch is its current one', async () => {
    const runId = await start(server);
    const worker = await temporal.startWorker({
      taskQueue: CENTRAL_QUEUE,
      workflowBundle: temporal.workflowBundle,
    });
    expect(worker).toBeDefined();
    const handle = temporal.client.workflow.getHandle(runId);
    const launchId = await until(async () => (await handle.query(snapshotQuery)).run.launchId);
    expect(await ask(central, runId, launchId)).toBe('live');
    expect(await ask(central, runId, OTHER_LAUNCH)).toBe('over');
    await temporal.stopWorkers();
    await terminate(runId);
  });
});
