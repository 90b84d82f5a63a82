/**
 * A run that is reset to its begin in Temporal, from its Web UI or by the API: it begins anew with a launch of its own, and
 * what was said of the old one does not concern it.
 */
import { CENTRAL_NODE, errorSignal, stopSignal } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { createRuns } from '../../server/runs/temporal';
import { runInputDraft } from '../support/run-input';
import { ScriptedConsortium } from '../support/scripted-consortium';
import { useTemporal } from '../support/temporal';

jest.setTimeout(90_000);
const temporal = useTemporal();
const NODES = [CENTRAL_NODE, 'a', 'b'];
afterEach(() => temporal.stopWorkers());

/** An event to which the Web UI offers to reset a run. */
type Point = NonNullable<
  Parameters<typeof temporal.client.workflowService.resetWorkflowExecution>[0]['workflowTaskFinishEventId']
>;

/** All of them, the first one first. */
async function pointsOf(runId: string): Promise<Point[]> {
  const { events } = await temporal.client.workflow.getHandle(runId).fetchHistory();
  const finished = events?.filter((event) => event.workflowTaskCompletedEventAttributes != null) ?? [];
  return finished.flatMap(({ eventId }) => eventId ?? []);
}

/** As the Web UI does it with the boxes as they are: signals are given to the run again. */
async function resetTo(point: Point, runId: string, execution?: string): Promise<void> {
  const { client } = temporal;
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: runId, ...(execution !== undefined && { runId: execution }) },
    reason: 'by hand',
    requestId: `reset-${runId}-${String(point)}`,
    workflowTaskFinishEventId: point,
  });
}

async function resetInWebUi(runId: string): Promise<void> {
  const [first] = await pointsOf(runId);
  await resetTo(first!, runId);
}

const resetByApi = (runId: string) => createRuns(temporal.client).reset(runId, 'retried', `retry-${runId}`);

async function launchOf(script: ScriptedConsortium, runId: string): Promise<string> {
  return (await script.snapshot(runId)).run.launchId ?? '';
}

/** Lets the run complete that has just begun anew. */
async function complete(script: ScriptedConsortium, runId: string, times: number): Promise<void> {
  for (const node of NODES) await script.called(`superviseNode ${node}`, times);
  for (const node of NODES) await script.end(node);
  await temporal.client.workflow.getHandle(runId).result();
}

describe.each([
  ['in the Web UI', resetInWebUi],
  ['by the API', resetByApi],
])('reset %s', (how, reset) => {
  const open = async () => new ScriptedConsortium(temporal, ['a', 'b']).open();
  const idOf = (what: string) => `${what}-${how.replaceAll(' ', '-').toLowerCase()}`;

  it('a run that was stopped begins anew, and is not stopped by what was said before', async () => {
    const script = await open();
    const runId = idOf('stopped');
    const run = await script.start(runId, runInputDraft(['a', 'b']));
    for (const node of NODES) await script.called(`superviseNode ${node}`);
    const before = await launchOf(script, runId);
    await run.signal(stopSignal, { by: 'lead', launchId: before });
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });

    await reset(runId);
    await complete(script, runId, 2);
    const { run: view } = await script.snapshot(runId);
    expect(view).toMatchObject({ state: 'complete' });
    expect(view.launchId).not.toBe(before);
    expect(view.stop).toBeUndefined();
  });

  it('a run that failed begins anew, and what went wrong before does not count', async () => {
    const script = await open();
    const runId = idOf('failed');
    const run = await script.start(runId, runInputDraft(['a', 'b']));
    for (const node of NODES) await script.called(`superviseNode ${node}`);
    await script.end('b', failure('NodeExited', 'The node exited with code 1.'));
    await expect(run.result()).rejects.toThrow();

    await reset(runId);
    await complete(script, runId, 2);
    const { run: view, nodes } = await script.snapshot(runId);
    expect(view.error).toBeUndefined();
    expect(nodes.map(({ state, error }) => [state, error])).toEqual(NODES.map(() => ['complete', undefined]));
  });

  it('a run at work begins anew after its sites have stopped their nodes', async () => {
    const script = await open();
    const runId = idOf('running');
    await script.start(runId, runInputDraft(['a', 'b']));
    for (const node of NODES) await script.called(`superviseNode ${node}`);
    const before = await launchOf(script, runId);

    await reset(runId);
    for (const site of ['a', 'b']) await script.called(`stopNode ${site}`);
    for (const site of ['a', 'b']) await script.called(`launchEdgeNode ${site}`, 2);
    for (const site of ['a', 'b']) {
      const calls = script.calls.filter((call) => call.endsWith(` ${site}`));
      expect(calls.indexOf(`stopNode ${site}`)).toBeLessThan(calls.lastIndexOf(`launchEdgeNode ${site}`));
    }
    const handle = temporal.client.workflow.getHandle(runId);
    const error = { node: 'a', phase: 'x', type: 'NodeExited', message: 'of the older launch' };
    await handle.signal(errorSignal, { launchId: before, error, state: 'failed' });
    await complete(script, runId, 2);
    expect((await script.snapshot(runId)).run).toMatchObject({ state: 'complete' });
  });
});

describe('reset to any point that is offered', () => {
  /** From every point of the run as it ended, one after the other, it begins anew and completes. */
  async function completesFromEveryPoint(
    runId: string,
    end: (script: ScriptedConsortium) => Promise<unknown>,
  ): Promise<void> {
    const script = await new ScriptedConsortium(temporal, ['a', 'b']).open();
    await script.start(runId, runInputDraft(['a', 'b']));
    for (const node of NODES) await script.called(`superviseNode ${node}`);
    await end(script);
    const points = await pointsOf(runId);
    const { runId: execution } = await temporal.client.workflow.getHandle(runId).describe();
    const launches = new Set([await launchOf(script, runId)]);
    expect(points.length).toBeGreaterThan(4);
    for (const point of points) {
      const launched = script.calls.filter((call) => call === 'superviseNode b').length;
      await resetTo(point, runId, execution);
      await script.called('superviseNode b', launched + 1);
      const launchId = await launchOf(script, runId);
      for (const node of NODES) await script.endOf(launchId, node);
      await temporal.client.workflow.getHandle(runId).result();
      const { run, nodes } = await script.snapshot(runId);
      expect(run).toMatchObject({ state: 'complete', launchId });
      expect(run.stop ?? run.error).toBeUndefined();
      expect(nodes.map(({ state }) => state)).toEqual(NODES.map(() => 'complete'));
      launches.add(launchId);
    }
    expect(launches.size).toBe(points.length + 1);
  }

  it('of a run that failed', () =>
    completesFromEveryPoint('failed-anywhere', async (script) => {
      await script.end('b', failure('NodeExited', 'The node exited with code 1.'));
      await expect(temporal.client.workflow.getHandle('failed-anywhere').result()).rejects.toThrow();
    }));

  it('of a run that was stopped', () =>
    completesFromEveryPoint('stopped-anywhere', async (script) => {
      const run = temporal.client.workflow.getHandle('stopped-anywhere');
      await run.signal(stopSignal, { by: 'lead', launchId: await launchOf(script, 'stopped-anywhere') });
      await run.result();
    }));

  it('of a run that was cancelled', () =>
    completesFromEveryPoint('cancelled-anywhere', async () => {
      const run = temporal.client.workflow.getHandle('cancelled-anywhere');
      await run.cancel();
      await expect(run.result()).rejects.toThrow();
    }));

  it('of a run at work', () => completesFromEveryPoint('running-anywhere', () => Promise.resolve()));
});
