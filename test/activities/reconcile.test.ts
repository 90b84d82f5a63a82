/** What a host holds of a launch that is over goes; what is live, or may be, stays. */
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { createHostActivities } from '../../activities/central';
import { createEdgeActivities } from '../../activities/edge';
import { Reconciler, countLooks, keyOf, stepFor, type Looks } from '../../activities/shared/reconcile';
import { LaunchFolders } from '../../activities/shared/launch-folders';
import { createReleaseLaunch } from '../../activities/shared/release-launch';
import { createStopNode } from '../../activities/shared/stop-node';
import type { CentralApi } from '../../client/central-api';
import { createNodeRuntimes } from '../../nodes';
import { connectEngine } from '../../nodes/engine';
import { ensureImage } from '../../nodes/image';
import { createLog } from '../../workers/run-workers';
import type { LaunchLiveness } from '../../workflows/api-contract';
import { CENTRAL_NODE, PROVISION_NODE, type LaunchRef } from '../../workflows/contract';
import { json, problem, type Answer } from '../support/contract-server';
import { describeWithEngine } from '../nodes/needs-engine';
import { Bench } from '../nodes/support';
import { STAY, Stage } from './stage';
import { until } from '../support/until';

describe('what is done about a launch', () => {
  const states = fc.array(fc.constantFrom<LaunchLiveness>('live', 'over', 'unknown'), { maxLength: 8 });

  test('nothing, unless it was over in the last two looks', () => {
    fc.assert(
      fc.property(states, fc.boolean(), (seen, onlyMark) => {
        let looks: Looks = new Map();
        for (const state of seen) looks = countLooks(looks, new Map([['launch', state]]));
        const step = stepFor({ onlyMark }, looks.get('launch') ?? 0);
        const overTwice = seen.slice(-2).join() === 'over,over';
        expect(step !== 'leave' && step !== 'confirm').toBe(overTwice);
      }),
    );
  });

  test('its nodes are stopped before they are removed', () => {
    expect([0, 1, 2, 3, 4].map((looks) => stepFor({ onlyMark: false }, looks))).toEqual([
      'leave',
      'confirm',
      'stop',
      'release',
      'release',
    ]);
    expect([0, 1, 2].map((looks) => stepFor({ onlyMark: true }, looks))).toEqual([
      'leave',
      'confirm',
      'forget',
    ]);
  });
});

describe('a host', () => {
  let stage: Stage;
  let states: Record<string, LaunchLiveness>;
  beforeEach(async () => {
    stage = await Stage.open({ central: STAY, edge: STAY });
    states = {};
    stage.api.answer = answer;
  });
  afterEach(() => stage.close());

  /** Tells of each launch what the test says of it; gives kits as ever. */
  const answer: Answer = (request, response) => {
    if (request.path !== '/api/launches/live') {
      stage.answer(request, response);
      return;
    }
    const { launches } = request.body as { launches: LaunchRef[] };
    const told = launches.map((ref) => ({ ...ref, state: states[keyOf(ref)] ?? 'live' }));
    json(200, { launches: told })(request, response);
  };
  const log = createLog('test', 'fatal');
  const central = () => {
    const host = stage.centralHost();
    const activities = createHostActivities(host);
    return new Reconciler({ host, activities, reserved: () => host.ports.list(), log });
  };
  const edge = (siteId: string) => {
    const host = stage.edgeHost(siteId);
    return new Reconciler({ host, activities: createEdgeActivities(host), log });
  };
  const over = () => (states[keyOf(stage.launch)] = 'over');
  const up = (host: string) => until(() => stage.result(host, 'up').catch(() => undefined));
  const nodes = (host: string) => stage.nodeHost(host).runtimes.process.list();
  const mark = () => `launches/${keyOf(stage.launch)}`;

  async function launchBoth(): Promise<void> {
    const { ports, kit } = await stage.publish(['a']);
    const computation = stage.nodeComputation();
    const { launch } = stage;
    await stage.central().do('launchCentralNode', { ...launch, computation, kit: kit(CENTRAL_NODE), ports });
    const site = stage.member('a');
    await stage.site('a').do('fetchRunKit', { ...launch, site, computation, kit: kit('a') });
    await stage.site('a').do('launchEdgeNode', { ...launch, site, computation });
    await Promise.all([up('central'), up('a')]);
  }

  test('clears away a launch that is over: nodes, folders, ports and kits; results stay', async () => {
    await launchBoth();
    over();
    for (const [name, reconciler] of [
      ['central', central()],
      ['a', edge('a')],
    ] as const) {
      expect(await reconciler.look()).toBe(true);
      expect(await nodes(name)).toHaveLength(1);
      await reconciler.look();
      await reconciler.look();
      expect(await nodes(name)).toEqual([]);
      expect(await stage.kept(name)).toEqual([mark(), `${mark()}/stopped`]);
      expect(await stage.result(name, 'up')).toBe('');
      expect(await reconciler.look()).toBe(false);
    }
    expect(await stage.centralHost().ports.list()).toEqual([]);
    expect(
      await stage.store.stat(`runs/${keyOf(stage.launch).replace('.', '/')}/kits/a.zip`),
    ).toBeUndefined();
  });

  test('a node that is cleared away is known to have been stopped, and is no error', async () => {
    await launchBoth();
    const computation = stage.nodeComputation();
    const watching = stage.site('a').begin('superviseNode', { ...stage.launch, node: 'a', computation });
    over();
    const reconciler = edge('a');
    await reconciler.look();
    await reconciler.look();
    await expect(watching.done).rejects.toThrow('143');
    expect(stage.reported()).toEqual([]);
  });

  test.each(['live', 'unknown', 'out of reach'] as const)(
    'a launch that is %s is left as it is',
    async (what) => {
      await launchBoth();
      if (what === 'out of reach') stage.api.answer = problem(503, 'Temporal cannot be reached');
      else states[keyOf(stage.launch)] = what;
      const before = await stage.kept('a');
      const reconciler = edge('a');
      for (let look = 0; look < 4; look++) await reconciler.look();
      expect(await stage.kept('a')).toEqual(before);
      expect(await nodes('a')).toHaveLength(1);
    },
  );

  test('an outage between two looks begins the count anew', async () => {
    await launchBoth();
    over();
    const reconciler = edge('a');
    await reconciler.look();
    stage.api.answer = problem(503, 'Temporal cannot be reached');
    await reconciler.look();
    stage.api.answer = answer;
    await reconciler.look();
    const [node] = await nodes('a');
    await expect(stage.nodeHost('a').runtimes.process.inspect(node!)).resolves.toMatchObject({
      state: 'running',
    });
  });

  test('a provisioning that was left half-way is cleared away, its secrets with it', async () => {
    const host = stage.centralHost();
    const ref = { ...stage.launch, node: PROVISION_NODE };
    await host.ports.reserve(stage.launch, 1);
    await mkdir(host.folders.provision(ref), { recursive: true });
    await writeFile(join(host.folders.provision(ref), 'ca.key'), 'secret');
    over();
    const reconciler = central();
    for (let look = 0; look < 3; look++) await reconciler.look();
    expect(await stage.kept('central')).toEqual([mark(), `${mark()}/stopped`]);
    expect(await host.ports.list()).toEqual([]);
  });

  test('a start that comes after it starts nothing', async () => {
    const { kit } = await stage.publish(['a']);
    const computation = stage.nodeComputation();
    const input = { ...stage.launch, site: stage.member('a'), computation };
    await stage.site('a').do('fetchRunKit', { ...input, kit: kit('a') });
    over();
    const reconciler = edge('a');
    for (let look = 0; look < 3; look++) await reconciler.look();
    await expect(stage.site('a').do('launchEdgeNode', input)).rejects.toThrow('was stopped before');
    expect(await nodes('a')).toEqual([]);
  });

  test('the mark of a launch goes when it is old and the launch is over, and nobody is asked before', async () => {
    const { folders } = stage.nodeHost('a');
    await folders.markStopped(stage.launch);
    over();
    const reconciler = edge('a');
    for (let look = 0; look < 3; look++) await reconciler.look();
    expect(await folders.isStopped(stage.launch)).toBe(true);
    expect(stage.api.seen).toEqual([]);
    const longAgo = Date.now() / 1000 - 8 * 86_400;
    await utimes(join(stage.path('a'), mark(), 'stopped'), longAgo, longAgo);
    for (let look = 0; look < 2; look++) await reconciler.look();
    expect(await stage.kept('a')).toEqual([]);
  });

  test('one launch that cannot be removed does not keep others', async () => {
    const broken = { ...stage.launch, launchId: 'a00000000000' };
    const { folders } = stage.nodeHost('a');
    for (const ref of [broken, stage.launch]) await folders.addToRecord(ref, { runtime: 'process' });
    await writeFile(join(stage.path('a'), `launches/${keyOf(broken)}/launch.json`), 'not json');
    over();
    states[keyOf(broken)] = 'over';
    const reconciler = edge('a');
    for (let look = 0; look < 3; look++) await reconciler.look();
    const kept = await stage.kept('a');
    expect(kept.filter((name) => name.startsWith(mark()))).toEqual([mark(), `${mark()}/stopped`]);
    expect(await readFile(join(stage.path('a'), `launches/${keyOf(broken)}/launch.json`), 'utf8')).toBe(
      'not json',
    );
  });
});

describeWithEngine('hosts that share a container engine', () => {
  let image: string;
  let bench: Bench;
  beforeAll(async () => {
    image = await ensureImage({
      engine: connectEngine(),
      image: 'muster/test-node:1',
      folder: resolve('test/nodes/image'),
    });
  }, 300_000);
  beforeEach(async () => {
    bench = await Bench.open({ image });
  });

  test('each clears away its own containers only, whatever it is told of those of others', async () => {
    const api = { askLiveness: everythingIsOver };
    const hosts = ['one', 'two'].map((name) => {
      const state = join(bench.root, name);
      const folders = new LaunchFolders(state, join(state, 'results'));
      return { runtimes: createNodeRuntimes({ stateDir: state }), folders, api, siteId: name };
    });
    const [one, two] = hosts as [(typeof hosts)[number], (typeof hosts)[number]];
    const STAYS = 'setInterval(() => {}, 1000);';
    for (const { siteId, runtimes, folders } of hosts) {
      const spec = await bench.node(STAYS, { node: siteId });
      await folders.addToRecord(spec, { runtime: 'docker' });
      await runtimes.docker.ensure(spec);
    }
    try {
      const activities = {
        stopNode: createStopNode(one),
        releaseLaunch: createReleaseLaunch(one, { settled: () => Promise.resolve() }, [one.siteId]),
      };
      const reconciler = new Reconciler({ host: one, activities, log: createLog('test', 'fatal') });
      for (let look = 0; look < 3; look++) await reconciler.look();
      expect(await one.runtimes.docker.list()).toEqual([]);
      const [theirs] = await two.runtimes.docker.list();
      expect(await two.runtimes.docker.inspect(theirs!)).toMatchObject({ state: 'running' });
    } finally {
      await one.runtimes.docker.remove({ runId: bench.runId, launchId: bench.launchId, node: 'one' });
      await bench.close(two.runtimes.docker);
    }
  });
});

const everythingIsOver: CentralApi['askLiveness'] = ({ launches }) =>
  Promise.resolve({ launches: launches.map((ref) => ({ ...ref, state: 'over' })) });
