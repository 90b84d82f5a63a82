/** A run of a thousand sites, and one that is told more than one history should hold: it goes on in a new one. */
import {
  CENTRAL_NODE,
  statusSignal,
  stopSignal,
  type NodeState,
  type RunInputDraft,
} from '../../workflows/contract';
import { runInputDraft } from '../support/run-input';
import { ScriptedConsortium } from '../support/scripted-consortium';
import { useTemporal } from '../support/temporal';

jest.setTimeout(240_000);
const temporal = useTemporal();
afterEach(() => temporal.stopWorkers());

const IN_PARALLEL = 40;
/** Temporal warns of histories that are longer. */
const LONGEST = 10_000;

/** A run with sites that say what the test says. */
class LargeRun {
  private launchId = '';
  private constructor(
    private readonly script: ScriptedConsortium,
    private readonly siteIds: readonly string[],
    readonly runId: string,
  ) {}

  static async start(runId: string, sites: number, more: Partial<RunInputDraft> = {}): Promise<LargeRun> {
    const siteIds = Array.from({ length: sites }, (_, index) => `s${index}`);
    const script = await new ScriptedConsortium(temporal, siteIds).speakForSites().open([]);
    await script.start(runId, runInputDraft(siteIds, more));
    const run = new LargeRun(script, siteIds, runId);
    await run.launched(1);
    return run;
  }

  /** Resolves once the central node has been watched so many times, and every site was told to start. */
  async launched(times: number): Promise<string> {
    await this.script.called(`superviseNode ${CENTRAL_NODE}`, times);
    for (;;) {
      const { launchId = '', state } = (await this.snapshot()).run;
      this.launchId = launchId;
      if (state === 'running') return launchId;
    }
  }

  /** Every site says that its node is in this state, one signal each. */
  async say(state: NodeState): Promise<void> {
    const handle = temporal.client.workflow.getHandle(this.runId);
    const { launchId } = this;
    for (let first = 0; first < this.siteIds.length; first += IN_PARALLEL) {
      const some = this.siteIds.slice(first, first + IN_PARALLEL);
      await Promise.all(some.map((node) => handle.signal(statusSignal, { launchId, node, state })));
      // The run hears them as they come, and has them all before the next ones do.
      await this.snapshot();
    }
  }

  /** The same word again and again, until the run has gone on in a new history. */
  async chatter(): Promise<void> {
    const before = (await this.describe()).runId;
    while ((await this.describe()).runId === before) await this.say('running');
  }

  describe = () => temporal.client.workflow.getHandle(this.runId).describe();
  snapshot = () => this.script.snapshot(this.runId);
  endCentral = () => this.script.end(CENTRAL_NODE);
  result = (): Promise<unknown> => temporal.client.workflow.getHandle(this.runId).result();

  /** How long each history of the run is, the newest one first. */
  async lengths(): Promise<number[]> {
    const lengths: number[] = [];
    for await (const { historyLength } of temporal.client.workflow.list({
      query: `WorkflowId = '${this.runId}'`,
    }))
      lengths.push(historyLength);
    return lengths;
  }
}

it('a run of a thousand sites completes, and no history of it grows long', async () => {
  const run = await LargeRun.start('thousand', 1000);
  for (const state of ['fetching', 'running', 'complete'] as const) await run.say(state);
  await run.endCentral();
  await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
  const { nodes } = await run.snapshot();
  expect(new Set(nodes.map(({ state }) => state))).toEqual(new Set(['complete']));
  expect(nodes).toHaveLength(1001);
  expect(Math.max(...(await run.lengths()))).toBeLessThan(LONGEST);
});

describe('a run whose history grows long goes on in a new one', () => {
  it('with the same launch and all that it knows, and hears the same people', async () => {
    const run = await LargeRun.start('continued', 200);
    const launchId = await run.launched(1);
    await run.say('running');
    await run.chatter();
    const { run: view, nodes } = await run.snapshot();
    expect(view).toMatchObject({ state: 'running', launchId });
    expect(new Set(nodes.map(({ state }) => state))).toEqual(new Set(['running']));
    // Whoever watches the central node now, it is the same node.
    await run.launched(2);
    await run.say('complete');
    await run.endCentral();
    await expect(run.result()).resolves.toMatchObject({ status: 'complete', launchId });
    expect((await run.lengths()).length).toBeGreaterThan(1);
    expect(Math.max(...(await run.lengths()))).toBeLessThan(LONGEST);
  });

  it('is launched anew when that is reset to its begin, and stops when it is asked to', async () => {
    const run = await LargeRun.start('continued-reset', 200);
    const before = await run.launched(1);
    await run.chatter();
    await run.launched(2);
    const { events } = await temporal.client.workflow.getHandle(run.runId).fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes != null)?.eventId;
    await temporal.client.workflowService.resetWorkflowExecution({
      namespace: temporal.client.options.namespace,
      workflowExecution: { workflowId: run.runId },
      ...{ reason: 'by hand', requestId: 'continued-reset' },
      ...(first != null && { workflowTaskFinishEventId: first }),
    });
    expect(await run.launched(3)).not.toBe(before);
    await temporal.client.workflow.getHandle(run.runId).signal(stopSignal, { by: 'lead' });
    await run.say('stopped');
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
  });
});
