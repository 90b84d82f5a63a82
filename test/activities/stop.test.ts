/** A stop is confirmed when nothing runs, and holds however late a start arrives. */
import { CENTRAL_NODE } from '../../workflows/contract';
import { STAY, Stage, failureOf } from './stage';
import { until } from '../support/until';

let stage: Stage;
afterEach(() => stage.close());

const grace = '5s' as const;
const siteInput = () => ({ ...stage.launch, site: stage.member('a'), computation: stage.nodeComputation() });
const ofSite = () => ({ ...stage.launch, node: 'a' });

/** A site's node that is up. */
async function bringUp(edge = STAY): Promise<void> {
  stage = await Stage.open({ edge });
  const { kit } = await stage.publish(['a']);
  await stage.site('a').do('fetchRunKit', { ...siteInput(), kit: kit('a') });
  await stage.site('a').do('launchEdgeNode', siteInput());
  await until(() => stage.result('a', 'up').catch(() => undefined));
}

async function condition(): Promise<string> {
  return (await stage.nodeHost('a').runtimes.process.inspect(ofSite())).state;
}

describe('a node that runs', () => {
  test('is stopped, and a repeat by the next worker still knows that it was running', async () => {
    await bringUp();
    const stop = { ...ofSite(), grace };
    await expect(stage.site('a').do('stopNode', stop)).resolves.toEqual({ wasRunning: true, forced: false });
    await expect(condition()).resolves.toBe('exited');
    await expect(stage.site('a').do('stopNode', stop)).resolves.toEqual({ wasRunning: true, forced: false });
  });

  test('is killed where the grace period is not enough', async () => {
    await bringUp(`trap "" TERM; touch "$OUTPUT_DIR/up"; while :; do sleep 1; done`);
    const stopped = await stage.site('a').do('stopNode', { ...ofSite(), grace: '100ms' });
    expect(stopped).toEqual({ wasRunning: true, forced: true });
    await expect(condition()).resolves.toBe('exited');
  });

  test('ends by the stop, which is no error to whoever watches it', async () => {
    await bringUp();
    const watching = stage
      .site('a')
      .begin('superviseNode', { ...ofSite(), computation: stage.nodeComputation() });
    await stage.site('a').do('stopNode', { ...ofSite(), grace });
    await expect(failureOf(watching.done)).resolves.toMatchObject({ type: 'NodeExited' });
    expect(stage.reported()).toEqual([]);
    expect(stage.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

describe('a node that had ended by itself', () => {
  test('is not said to have been stopped, and its own failure stays one', async () => {
    await bringUp('touch "$OUTPUT_DIR/up"; exit 7');
    await until(async () => (await condition()) === 'exited');
    await expect(stage.site('a').do('stopNode', { ...ofSite(), grace })).resolves.toEqual({
      wasRunning: false,
      forced: false,
    });
    const watching = stage
      .site('a')
      .do('superviseNode', { ...ofSite(), computation: stage.nodeComputation() });
    await expect(failureOf(watching)).resolves.toMatchObject({ type: 'NodeExited' });
    expect(stage.reported()).toHaveLength(1);
  });
});

describe('a launch of which nothing was ever started', () => {
  test('is confirmed as stopped', async () => {
    stage = await Stage.open();
    await expect(stage.site('a').do('stopNode', { ...ofSite(), grace })).resolves.toEqual({
      wasRunning: false,
      forced: false,
    });
  });

  test.each(['stopNode', 'releaseLaunch'] as const)(
    'stays down after %s, by the next worker too',
    async (how) => {
      stage = await Stage.open();
      const { kit, ports } = await stage.publish(['a']);
      await stage.site('a').do('fetchRunKit', { ...siteInput(), kit: kit('a') });
      const stop = { ...ofSite(), grace };
      await (how === 'stopNode'
        ? stage.site('a').do('stopNode', stop)
        : stage.site('a').do('releaseLaunch', stage.launch));
      const refused = { type: 'NodeLost', nonRetryable: true };
      const fetching = stage.site('a').do('fetchRunKit', { ...siteInput(), kit: kit('a') });
      await expect(failureOf(fetching)).resolves.toMatchObject(refused);
      await expect(failureOf(stage.site('a').do('launchEdgeNode', siteInput()))).resolves.toMatchObject(
        refused,
      );

      await stage.central().do('stopNode', { ...stage.launch, node: CENTRAL_NODE, grace });
      const launching = stage.central().do('launchCentralNode', {
        ...stage.launch,
        computation: stage.nodeComputation(),
        kit: kit(CENTRAL_NODE),
        ports,
      });
      await expect(failureOf(launching)).resolves.toMatchObject(refused);
      await expect(stage.starts()).resolves.toEqual(['provision']);
      expect(stage.reported()).toEqual([]);
    },
  );

  test('does not keep another launch of the run from starting', async () => {
    stage = await Stage.open();
    await stage.site('a').do('stopNode', { ...stage.launch, launchId: 'fedcba987654', node: 'a', grace });
    const { kit } = await stage.publish(['a']);
    await stage.site('a').do('fetchRunKit', { ...siteInput(), kit: kit('a') });
    await expect(stage.site('a').do('launchEdgeNode', siteInput())).resolves.toMatchObject({
      runtime: 'process',
    });
  });
});

describe('a stop and a step at the same moment', () => {
  test('end with no node, no kit and no token where the launch was released while it was starting', async () => {
    stage = await Stage.open({ edge: STAY });
    const { kit } = await stage.publish(['a']);
    await stage.site('a').do('fetchRunKit', { ...siteInput(), kit: kit('a') });
    const host = stage.nodeHost('a');
    const processes = host.runtimes.process;
    // The slow start of a busy engine: the run stops and releases the launch before it is done.
    const ensure: typeof processes.ensure = async (spec) => {
      await stage.site('a').do('stopNode', { ...ofSite(), grace });
      await stage.site('a').do('releaseLaunch', stage.launch);
      return processes.ensure(spec);
    };
    const slow = stage.site('a', { runtimes: { ...host.runtimes, process: { ...processes, ensure } } });
    await expect(failureOf(slow.do('launchEdgeNode', siteInput()))).resolves.toMatchObject({
      type: 'NodeLost',
    });
    await expect(processes.list()).resolves.toEqual([]);
    const mark = `launches/${stage.runId}.${stage.launchId}`;
    await expect(stage.kept('a')).resolves.toEqual([mark, `${mark}/stopped`]);
  });

  test('end with no kit in the object store where the launch was released while they were published', async () => {
    stage = await Stage.open();
    await stage.central().do('provisionProject', stage.provisionInput(['a']));
    const { store } = stage;
    const putOnce: typeof store.putOnce = async (key, content) => {
      const put = await store.putOnce(key, content);
      await stage.central().do('releaseLaunch', stage.launch);
      return put;
    };
    const slow = stage.central({ store: { ...store, putOnce } });
    await failureOf(slow.do('publishRunKits', { ...stage.launch, sites: ['a'] }));
    await expect(store.list(`runs/${stage.runId}`)).resolves.toEqual([]);
  });
});
