/** A run that is retried while it is under way: from its launch on, or at single sites. */
import {
  CENTRAL_NODE,
  edgeRunWorkflowId,
  retrySignal,
  stopSignal,
  type NodeState,
  type RunInputDraft,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { runInputDraft } from '../support/run-input';
import { ScriptedConsortium } from '../support/scripted-consortium';
import { useTemporal } from '../support/temporal';

const temporal = useTemporal();
afterEach(() => temporal.stopWorkers());

const SITES = ['a', 'b'];
const returning: Partial<RunInputDraft> = {
  computation: {
    ...{ name: 'example', version: '1' },
    deadlines: { start: '20s', stopGrace: '1s' },
    failure: { onSiteFailure: 'continue', minSites: 1, mayReturn: true },
  },
  windows: { retry: '1s' },
};
const broken = failure('NodeExited', 'The node exited with code 1.');

/** A run whose nodes are all up. */
async function up(runId: string, more: Partial<RunInputDraft> = returning) {
  const script = await new ScriptedConsortium(temporal, SITES).open();
  const run = await script.start(runId, runInputDraft(SITES, more));
  for (const node of [...SITES, CENTRAL_NODE]) await script.called(`superviseNode ${node}`);
  const { launchId: first = '' } = (await until(script, runId, { central: 'running', a: 'running' })).run;
  return { script, run, first };
}

/** The run, once these nodes are in these states. */
async function until(script: ScriptedConsortium, runId: string, wanted: Record<string, NodeState>) {
  for (;;) {
    const seen = await script.snapshot(runId);
    const isSo = ([name, state]: [string, NodeState]) =>
      seen.nodes.some((node) => node.node === name && node.state === state);
    if (seen.run.state === 'running' && Object.entries(wanted).every(isSo)) return seen;
  }
}
const times = (script: ScriptedConsortium, call: string) =>
  script.calls.filter((made) => made === call).length;
const launchOf = async (script: ScriptedConsortium, runId: string, name: string) =>
  (await script.snapshot(runId)).nodes.find(({ node }) => node === name)?.retry?.launchId;

describe('from its launch on', () => {
  it('gets all its nodes anew with the kits that there are, and says who asked', async () => {
    const { script, run, first } = await up('launch-anew');
    await run.signal(retrySignal, { from: 'launch', by: 'lead', reason: 'stuck' });
    for (const node of SITES) await script.called(`launchEdgeNode ${node}`, 2);
    await script.called('superviseNode central', 2);
    const { run: view, nodes } = await until(script, 'launch-anew', { a: 'running', b: 'running' });
    expect(view).toMatchObject({ retry: { launchId: view.launchId, by: 'lead', reason: 'stuck' } });
    expect(view.launchId).not.toBe(first);
    expect(nodes.map(({ retry }) => retry)).toEqual([undefined, undefined, undefined]);
    for (const node of [...SITES, CENTRAL_NODE]) await script.endOf(view.launchId ?? '', node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete', launchId: view.launchId });
    expect(times(script, 'provisionProject central')).toBe(1);
    const before = script.calls.slice(0, script.calls.indexOf('takeOverLaunch central'));
    for (const node of [...SITES, CENTRAL_NODE]) {
      expect(times(script, `stopNode ${node}`)).toBe(1);
      expect(before).toContain(`stopNode ${node}`);
    }
  });

  it('does so once, however often the same request comes', async () => {
    const { script, run } = await up('once');
    const asked = { from: 'launch', by: 'lead', request: 'r1' } as const;
    await run.signal(retrySignal, asked);
    await script.called('superviseNode central', 2);
    await run.signal(retrySignal, asked);
    const { run: view } = await until(script, 'once', { a: 'running', b: 'running' });
    for (const node of [...SITES, CENTRAL_NODE]) await script.endOf(view.launchId ?? '', node);
    await run.result();
    expect(times(script, 'takeOverLaunch central')).toBe(1);
  });

  it('can be stopped on the way, and leaves nothing running', async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const { script, run } = await up('stopped-anew');
    script.on('takeOverLaunch', CENTRAL_NODE, () => held);
    await run.signal(retrySignal, { from: 'launch', by: 'lead' });
    await script.called('takeOverLaunch central');
    await run.signal(stopSignal, { by: 'lead' });
    go();
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    expect(times(script, 'launchCentralNode central')).toBe(1);
    // Of both launches.
    expect(times(script, 'releaseLaunch central')).toBe(2);
  });
});

describe('at one site', () => {
  it('whose node has failed, brings that node up anew beside the others', async () => {
    const { script, run, first } = await up('site-anew');
    await script.end('a', broken);
    await until(script, 'site-anew', { a: 'failed' });
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead', reason: 'mended' });
    await script.called('superviseNode a', 2);
    const { run: view, nodes } = await until(script, 'site-anew', { a: 'running', b: 'running' });
    expect(view.launchId).toBe(first);
    expect(nodes[1]).toMatchObject({ node: 'a', retry: { by: 'lead', reason: 'mended' } });
    for (const node of [...SITES, CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete', launchId: first });
    expect((await script.snapshot('site-anew')).run.without).toBeUndefined();
    expect(times(script, 'fetchRunKit b')).toBe(1);
    expect(times(script, 'launchCentralNode central')).toBe(1);
  });

  it('whose node is running, stops it before it starts the new one', async () => {
    const { script, run } = await up('site-stuck');
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead' });
    await script.called('superviseNode a', 2);
    const own = script.calls.filter((call) => call.endsWith(' a')).map((call) => call.split(' ')[0]);
    expect(own.slice(3)).toEqual([
      'stopNode',
      'releaseLaunch',
      'fetchRunKit',
      'launchEdgeNode',
      'superviseNode',
    ]);
    for (const node of [...SITES, CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
  });

  it('without a site named, brings up every node that is not complete', async () => {
    const { script, run } = await up('sites-anew');
    await script.end('b');
    await until(script, 'sites-anew', { b: 'complete' });
    await script.end('a', broken);
    await until(script, 'sites-anew', { a: 'failed' });
    await run.signal(retrySignal, { from: 'sites', by: 'lead' });
    await script.called('superviseNode a', 2);
    for (const node of ['a', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    expect(times(script, 'fetchRunKit b')).toBe(1);
  });

  it('is not done where the computation takes no site in again', async () => {
    const { script, run } = await up('not-returning', {
      computation: { name: 'example', version: '1', failure: { onSiteFailure: 'continue', minSites: 1 } },
    });
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead' });
    for (const node of [...SITES, CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    expect(times(script, 'handOnKits central')).toBe(0);
  });

  it('can be stopped at any moment: also the order that is on its way is taken back', async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const { script, run } = await up('stop-while-anew');
    await script.end('a', broken);
    await until(script, 'stop-while-anew', { a: 'failed' });
    script.on('signalEdgeClients', CENTRAL_NODE, () => held);
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead' });
    await script.called('signalEdgeClients central', 2);
    await run.signal(stopSignal, { by: 'lead' });
    await script.called('stopNode central');
    go();
    await expect(run.result()).resolves.toMatchObject({ status: 'stopped' });
    const { nodes } = await script.snapshot('stop-while-anew');
    expect(nodes.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
    await temporal.client.workflow.getHandle(edgeRunWorkflowId('stop-while-anew', 'a')).result();
    expect(script.isRunning('a')).toBe(false);
  });

  it('is given up when its kit cannot be handed on: the run is as it was', async () => {
    const { script, run } = await up('no-kit');
    await script.end('a', broken);
    await until(script, 'no-kit', { a: 'failed' });
    script.on('handOnKits', CENTRAL_NODE, () => Promise.reject(failure('ProvisionFailed', 'no kit')));
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead' });
    await script.called('handOnKits central');
    for (const node of ['b', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    expect(await launchOf(script, 'no-kit', 'a')).toBeUndefined();
  });

  it('is given up when its node does not come up in time; the run goes on without it', async () => {
    const input = {
      ...returning,
      computation: { ...returning.computation!, deadlines: { start: '8s', stopGrace: '1s' } },
      windows: { stopConfirm: '1s' },
    } as const;
    const { script, run } = await up('late-anew', input);
    await script.end('a', broken);
    await until(script, 'late-anew', { a: 'failed' });
    await script.goAway('a');
    await run.signal(retrySignal, { from: 'sites', sites: ['a'], by: 'lead' });
    await until(script, 'late-anew', { a: 'waiting' });
    const { nodes } = await until(script, 'late-anew', { a: 'lost', b: 'running' });
    expect(nodes[1]?.error?.type).toMatch(/DeadlineExceeded|SiteSilent/);
    for (const node of ['b', CENTRAL_NODE]) await script.end(node);
    await expect(run.result()).resolves.toMatchObject({ status: 'complete' });
    expect((await script.snapshot('late-anew')).run.without).toMatchObject([{ node: 'a', state: 'lost' }]);
  });
});
