import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { createSignalEdgeClients } from '../../activities/central/signal-edge-clients';
import {
  CENTRAL_NODE,
  NodeComputation,
  Windows,
  edgeRunWorkflowId,
  errorSignal,
  statusSignal,
  stopSignal,
  type EdgeClientStartRun,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { runInputDraft } from '../support/run-input';
import { ScriptedConsortium } from '../support/scripted-consortium';
import { useTemporal } from '../support/temporal';

const temporal = useTemporal();
const impatient = { windows: { retry: '1s' } } as const;
const shortGrace = { name: 'example', version: '1', deadlines: { stopGrace: '1s' } } as const;

/** Workers of one test are gone before the next: two scripts must not serve one queue. */
async function open(
  siteIds: readonly string[],
  prepare: (script: ScriptedConsortium) => unknown = () => undefined,
  online = siteIds,
) {
  const script = new ScriptedConsortium(temporal, siteIds);
  prepare(script);
  await script.open(online);
  return script;
}
afterEach(() => temporal.stopWorkers());

const states = async (script: ScriptedConsortium, runId: string) => {
  const { nodes } = await script.snapshot(runId);
  return Object.fromEntries(nodes.map(({ node, state }) => [node, state]));
};

async function failureOf(result: Promise<unknown>): Promise<Error | undefined> {
  const error: unknown = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error('the workflow did not fail');
  return error.cause;
}

describe('RunWorkflow', () => {
  it('takes the steps in order, starts every node once, and ends complete with the central results', async () => {
    const script = await open(['a', 'b']);
    const run = await script.start('in-order', runInputDraft(['a', 'b']));
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({
      runId: 'in-order',
      status: 'complete',
      results: [{ name: 'result.json' }],
    });
    const central = script.calls.filter((call) => call.endsWith(CENTRAL_NODE));
    expect(central).toEqual(
      [
        'provisionProject',
        'publishRunKits',
        'launchCentralNode',
        'superviseNode',
        'reportRunStartedCentral',
        'signalEdgeClients',
        'collectResults',
        'releaseLaunch',
      ].map(
        (step) =>
          expect.stringMatching(
            new RegExp(`^(${step}|superviseNode|reportRunStartedCentral) central$`),
          ) as string,
      ),
    );
    for (const site of ['a', 'b']) {
      const own = script.calls.filter((call) => call.endsWith(` ${site}`)).map((call) => call.split(' ')[0]);
      expect(own).toEqual(['fetchRunKit', 'launchEdgeNode', 'superviseNode', 'releaseLaunch']);
    }
    await expect(states(script, 'in-order')).resolves.toEqual({
      central: 'complete',
      a: 'complete',
      b: 'complete',
    });
  });

  it('reports every state to the central API, the last report being the end', async () => {
    const script = await open(['a']);
    const run = await script.start('reports', runInputDraft(['a']));
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await run.result();
    const last = script.reports.at(-1);
    expect(last?.run).toMatchObject({ runId: 'reports', state: 'complete' });
    expect(script.reports.map(({ seq }) => seq)).toEqual(script.reports.map((_, index) => index + 1));
    const seen = new Set(
      script.reports.flatMap(({ nodes }) => nodes.map(({ node, state }) => `${node} ${state}`)),
    );
    expect([...seen]).toEqual(expect.arrayContaining(['a waiting', 'a complete', 'central complete']));
  });

  it('shows the run in the Temporal Web UI: search attributes, and its state above the history', async () => {
    const script = await open(['a']);
    const run = await script.start('shown', runInputDraft(['a']));
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await run.result();
    const { typedSearchAttributes } = await run.describe();
    const shown = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(shown)).toMatchObject({ MusterConsortium: 'test', MusterStatus: 'complete' });
  });

  it('completes also when every node has ended before it is known that they were told to start', async () => {
    let told: () => void = () => undefined;
    const isTold = new Promise<void>((resolve) => (told = resolve));
    const script = await open(['a'], (it) => it.on('reportRunStartedCentral', CENTRAL_NODE, () => isTold));
    const run = await script.start('quick', runInputDraft(['a']));
    await script.end(CENTRAL_NODE);
    const { launchId = '' } = (await script.snapshot('quick')).run;
    await run.signal(statusSignal, { launchId, node: 'a', state: 'complete' });
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    told();
  });

  it('stops when asked: every node is stopped and confirmed, and that is no error', async () => {
    const script = await open(['a', 'b']);
    const run = await script.start('stopped', runInputDraft(['a', 'b']));
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await run.signal(stopSignal, { by: 'lead', reason: 'wrong parameters' });
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    expect(['a', 'b', CENTRAL_NODE].filter((node) => script.isRunning(node))).toEqual([]);
    const { run: view, nodes } = await script.snapshot('stopped');
    expect(view).toMatchObject({ state: 'stopped', stop: { by: 'lead', reason: 'wrong parameters' } });
    expect(nodes.map(({ state, error }) => [state, error])).toEqual(nodes.map(() => ['stopped', undefined]));
  });

  it('stopped before its nodes are up, launches nothing any more', async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const script = await open(['a'], (it) => it.on('publishRunKits', CENTRAL_NODE, () => held));
    const run = await script.start('stopped-early', runInputDraft(['a']));
    await script.called('publishRunKits central');
    await run.signal(stopSignal, { by: 'lead' });
    await script.called('stopNode central');
    go();
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    expect(
      script.calls.filter(
        (call) => /launch|signalEdge|fetch/.test(call) && !call.startsWith('releaseLaunch'),
      ),
    ).toEqual([]);
    await expect(states(script, 'stopped-early')).resolves.toEqual({ central: 'stopped', a: 'stopped' });
  });

  it('fails with the site that failed, by name, after every other node was stopped', async () => {
    const script = await open(['a', 'b']);
    const run = await script.start('site-fails', runInputDraft(['a', 'b']));
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await script.end('b', failure('NodeExited', 'The node exited with code 1.', { exitCode: 1 }));
    const cause = await failureOf(run.result());
    expect(cause).toMatchObject({
      type: 'RunFailed',
      message: 'b: NodeExited: The node exited with code 1.',
    });
    expect((cause as ApplicationFailure).details?.[0]).toMatchObject([{ node: 'b', type: 'NodeExited' }]);
    await expect(states(script, 'site-fails')).resolves.toEqual({
      central: 'stopped',
      a: 'stopped',
      b: 'failed',
    });
    const { nodes } = await script.snapshot('site-fails');
    expect(nodes.find(({ node }) => node === 'b')?.exitCode).toBe(1);
  });

  it('calls a site refused that goes on not to allow the computation', async () => {
    const script = await open(['a', 'b'], (it) =>
      it.on('fetchRunKit', 'a', () => Promise.reject(failure('ComputationNotAllowed', 'not allowed here'))),
    );
    const run = await script.start('refused', runInputDraft(['a', 'b'], { windows: { retry: '1s' } }));
    expect(await failureOf(run.result())).toMatchObject({
      message: 'a: ComputationNotAllowed: not allowed here',
    });
    await expect(states(script, 'refused')).resolves.toMatchObject({ a: 'refused', b: 'stopped' });
  });

  it('calls a site refused where a person refused the run, at once', async () => {
    const script = await open(['a'], (it) =>
      it.on('fetchRunKit', 'a', () => Promise.reject(failure('RunRefused', 'site.yaml: approval: no'))),
    );
    const run = await script.start('refused-by-a-person', runInputDraft(['a']));
    expect(await failureOf(run.result())).toMatchObject({
      message: 'a: RunRefused: site.yaml: approval: no',
    });
    await expect(states(script, 'refused-by-a-person')).resolves.toMatchObject({ a: 'refused' });
    expect(script.calls.filter((call) => call === 'fetchRunKit a')).toHaveLength(1);
  });

  it.each(['ApprovalNeeded', 'SiteClosed'] as const)(
    'waits at a site for longer than what is to be mended may take: %s',
    async (type) => {
      let closed = true;
      const unlessClosed = () => (closed ? Promise.reject(failure(type, 'not yet')) : Promise.resolve());
      const script = await open(['a'], (it) =>
        it.on('fetchRunKit', 'a', unlessClosed).on('launchEdgeNode', 'a', unlessClosed),
      );
      const run = await script.start(`waits-${type.toLowerCase()}`, runInputDraft(['a'], impatient));
      // Two attempts are in the window.
      await script.called('fetchRunKit a', 3);
      closed = false;
      await script.end('a');
      await script.end(CENTRAL_NODE);
      await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    },
  );

  it('says what a site waited for that did not come up in time', async () => {
    const script = await open(['a'], (it) =>
      it.on('fetchRunKit', 'a', () => Promise.reject(failure('SiteClosed', 'closed until Monday'))),
    );
    const computation = { ...shortGrace, deadlines: { start: '2s', stopGrace: '1s' } } as const;
    const run = await script.start('closed', runInputDraft(['a'], { computation, ...impatient }));
    await script.called('fetchRunKit a');
    const { run: view } = await script.snapshot('closed');
    const attention = { node: 'a', phase: 'fetchRunKit', type: 'SiteClosed', message: 'closed until Monday' };
    await run.signal(statusSignal, { launchId: view.launchId!, node: 'a', attention });
    expect(await failureOf(run.result())).toMatchObject({
      message: 'a: DeadlineExceeded: a did not come up within 2s; it was waiting: closed until Monday',
    });
    await expect(states(script, 'closed')).resolves.toMatchObject({ a: 'failed' });
  });

  it('fails with its own step when provisioning fails, and launches nothing', async () => {
    const script = await open(['a'], (it) =>
      it.on('provisionProject', CENTRAL_NODE, () =>
        Promise.reject(failure('ProvisionFailed', 'exit code 3')),
      ),
    );
    const run = await script.start('no-provision', runInputDraft(['a']));
    expect(await failureOf(run.result())).toMatchObject({ message: 'central: ProvisionFailed: exit code 3' });
    expect(script.calls).toEqual(['provisionProject central']);
  });

  it.each(['ComputationNotAllowed', 'DataMissing', 'ImageMissing', 'EngineUnavailable', 'DiskFull'] as const)(
    'waits while a person mends %s, and goes on when it is',
    async (type) => {
      let broken = true;
      const script = await open(['a'], (it) =>
        it.on('fetchRunKit', 'a', () =>
          broken ? Promise.reject(failure(type, 'not yet')) : Promise.resolve(),
        ),
      );
      const run = await script.start(`mended-${type.toLowerCase()}`, runInputDraft(['a']));
      await script.called('fetchRunKit a');
      broken = false;
      for (const node of ['a', CENTRAL_NODE]) await script.end(node);
      await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    },
  );

  it('calls a site lost that never answers, and does not wait for it longer than the computation allows', async () => {
    const script = await open(['a', 'b'], undefined, ['a']);
    const computation = { ...shortGrace, deadlines: { start: '1s', stopGrace: '1s' } } as const;
    // Long enough for the site that does answer.
    const windows = { stopConfirm: '10s' } as const;
    const run = await script.start('silent', runInputDraft(['a', 'b'], { computation, windows }));
    await failureOf(run.result());
    const { nodes, run: view } = await script.snapshot('silent');
    expect(view.error).toMatchObject({ node: 'b' });
    expect(nodes.find(({ node }) => node === 'b')?.state).toBe('lost');
    expect(nodes.find(({ node }) => node === 'a')?.state).toBe('stopped');
  });

  it('gives a site up that is silent for too long while its node runs, and calls it lost, not failed', async () => {
    const script = await open(['a', 'b']);
    const input = runInputDraft(['a', 'b'], {
      computation: { name: 'example', version: '1', failure: { onSiteFailure: 'continue', minSites: 1 } },
      // Long enough for the site that is not silent.
      windows: { lostAfter: '5s' },
    });
    const run = await script.start('lost-on-the-way', input);
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await script.goAway('b');
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    const { run: view, nodes } = await script.snapshot('lost-on-the-way');
    expect(nodes.find(({ node }) => node === 'b')).toMatchObject({
      state: 'lost',
      error: { type: 'SiteSilent' },
    });
    expect(view.without).toEqual([
      { node: 'b', state: 'lost', why: expect.stringContaining('edge worker of b') as string },
    ]);
  });

  it('stops every node that has not ended within the deadline, and ends only then', async () => {
    const script = await open(['a', 'b']);
    const computation = { ...shortGrace, deadlines: { run: '1s', stopGrace: '1s' } } as const;
    const run = await script.start('endless', runInputDraft(['a', 'b'], { computation }));
    await failureOf(run.result());
    const { nodes, run: view } = await script.snapshot('endless');
    expect(view.error).toMatchObject({ type: 'DeadlineExceeded' });
    expect(nodes.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
    for (const node of [CENTRAL_NODE, 'a', 'b']) {
      expect(script.calls).toContain(`stopNode ${node}`);
      expect(script.isRunning(node)).toBe(false);
    }
  });

  it('goes on without a site that is late, and stops what then comes up there', async () => {
    const script = await open(['a', 'b'], (it) =>
      it.on('launchEdgeNode', 'b', () => script.called('stopNode b')),
    );
    const failurePolicy = { onSiteFailure: 'continue', minSites: 1 } as const;
    // Long enough for the site that is not late.
    const deadlines = { start: '5s', stopGrace: '1s' } as const;
    const computation = { ...shortGrace, deadlines, failure: failurePolicy };
    const run = await script.start('late', runInputDraft(['a', 'b'], { computation }));
    await script.called('stopNode b');
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    const { nodes } = await script.snapshot('late');
    expect(nodes.map(({ state }) => state)).toEqual(['complete', 'complete', 'failed']);
  });

  it('calls a site lost that does not confirm its stop, and says so', async () => {
    const never = () => Promise.reject(failure('EngineUnavailable', 'the engine does not answer'));
    const script = await open(['a', 'b'], (it) => it.on('stopNode', 'b', never));
    const run = await script.start(
      'unconfirmed',
      runInputDraft(['a', 'b'], { computation: shortGrace, windows: { stopConfirm: '1s' } }),
    );
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await run.signal(stopSignal, { by: 'lead' });
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    const { nodes } = await script.snapshot('unconfirmed');
    expect(nodes.find(({ node }) => node === 'b')).toMatchObject({
      state: 'lost',
      error: { type: 'StopUnconfirmed' },
    });
    await temporal.client.workflow.getHandle('unconfirmed.site.b').terminate('the test is over');
  });

  it('goes on without the central API, and tells it the end once it is back', async () => {
    let away = true;
    const script = await open(['a'], (it) =>
      it.on('reportStatusCentral', CENTRAL_NODE, () =>
        away ? Promise.reject(new Error('away')) : Promise.resolve(),
      ),
    );
    const run = await script.start('api-away', runInputDraft(['a']));
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await script.called('releaseLaunch central');
    away = false;
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    expect(script.reports.at(-1)?.run.state).toBe('complete');
  });

  it('ends as it should also when the central API refuses its reports for good', async () => {
    const refuse = () => Promise.reject(ApplicationFailure.nonRetryable('refused', 'Internal'));
    const script = await open(['a'], (it) => it.on('reportStatusCentral', CENTRAL_NODE, refuse));
    const run = await script.start('api-refuses', runInputDraft(['a']));
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
  });

  it('drops signals that are not of the agreed form, or of another launch', async () => {
    const script = await open(['a']);
    const run = await script.start('odd-signals', runInputDraft(['a']));
    await script.called('superviseNode a');
    const error = { node: 'a', phase: 'x', type: 'NodeExited', message: 'of an older launch' };
    await run.signal(errorSignal, { launchId: 'launch999999', error, state: 'failed' });
    await run.signal(statusSignal.name, { nonsense: true });
    await run.signal(stopSignal.name, 'stop!');
    await run.signal(stopSignal, { by: 'lead', launchId: 'launch999999' });
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
  });

  it('cancelled from Temporal, stops every node before it ends as cancelled', async () => {
    const script = await open(['a']);
    const run = await script.start('cancelled', runInputDraft(['a']));
    for (const node of ['a', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await run.cancel();
    expect(await failureOf(run.result())).toBeInstanceOf(CancelledFailure);
    await expect(states(script, 'cancelled')).resolves.toEqual({ central: 'stopped', a: 'stopped' });
  });

  it.each([
    ['an empty input', 'bad-input', {}, /\/consortium/],
    ['two sites of one id', 'twins', runInputDraft(['a', 'a']), /site ids must differ/],
    ['a workflow id that cannot be a run id', 'Not A Run', runInputDraft(['a']), /workflow id is the run id/],
  ])('refuses %s', async (_name, runId, input, message) => {
    const script = await open(['a']);
    const run = await script.start(runId, input);
    expect(await failureOf(run.result())).toMatchObject({
      type: 'InvalidRunInput',
      message: expect.stringMatching(message) as string,
    });
    expect(script.calls).toEqual([]);
  });
});

describe('EdgeRunWorkflow', () => {
  it('tells the truth of a node that had ended by itself when it was to be stopped', async () => {
    const script = await open(['a', 'b']);
    const run = await script.start('own-end', runInputDraft(['a', 'b']));
    for (const node of ['a', 'b', CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
    await script.end('a');
    await script.called('releaseLaunch a');
    await run.signal(stopSignal, { by: 'lead' });
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    await expect(states(script, 'own-end')).resolves.toEqual({
      central: 'stopped',
      a: 'complete',
      b: 'stopped',
    });
  });
});

describe('a newer launch', () => {
  it('replaces the older one at a site, whose node is stopped first', async () => {
    const script = await open(['a']);
    const launch = (launchId: string): EdgeClientStartRun => ({
      runId: 'superseded',
      launchId,
      consortium: { id: 'test', name: 'Test consortium' },
      site: { id: 'a', name: 'Site a', dataset: 'data' },
      computation: NodeComputation.parse({ name: 'example', version: '1' }),
      kit: { node: 'a', key: 'k', sha256: '0'.repeat(64), size: 1 },
      windows: Windows.parse({}),
    });
    const signal = createSignalEdgeClients(temporal.client);
    await signal({ starts: [launch('launch000001')] });
    await script.called('superviseNode a');
    await signal({ starts: [launch('launch000002')] });
    await script.called('superviseNode a', 2);
    await script.end('a');
    await temporal.client.workflow.getHandle(edgeRunWorkflowId('superseded', 'a')).result();
    const steps = script.calls.map((call) => call.split(' ')[0]);
    const one = ['fetchRunKit', 'launchEdgeNode', 'superviseNode'];
    expect(steps).toEqual([...one, 'stopNode', 'releaseLaunch', ...one, 'releaseLaunch']);
  });
});
