/** A launch that takes over what an older one has on the host, and sites that get their kits once more. */
import { CENTRAL_NODE } from '../../workflows/contract';
import { STAY, Stage, failureOf } from './stage';
import { until } from '../support/until';

let stage: Stage;
afterEach(() => stage.close());

const NEXT = 'launch000002';
const next = () => ({ runId: stage.runId, launchId: NEXT });
const keys = async () =>
  (await stage.store.list(`runs/${stage.runId}`)).map(({ key }) => key.split('/').slice(2).join('/'));

/** A launch whose central node is up. */
async function launched() {
  stage = await Stage.open({ central: STAY });
  const { ports, kit } = await stage.publish(['a', 'b']);
  const computation = stage.nodeComputation();
  await stage
    .central()
    .do('launchCentralNode', { ...stage.launch, computation, kit: kit(CENTRAL_NODE), ports });
  return { ports, computation };
}

describe('a launch that takes over', () => {
  test('has the kits and the ports, and of the older one nothing is left', async () => {
    const { ports, computation } = await launched();
    const take = { ...next(), from: stage.launchId, computation };
    const { endpoint, hostQueue } = await stage.central().do('takeOverLaunch', take);
    expect(endpoint).toEqual({ host: 'localhost', ports });
    expect(hostQueue).toBe('central.test');
    expect(await stage.centralHost().runtimes.process.list()).toEqual([]);
    expect(await keys()).toEqual(
      ['a', 'b', 'central'].map((node) => `${NEXT}/kits/${node}.zip`).concat(`${NEXT}/kits/manifest.json`),
    );
    expect(await stage.centralHost().ports.list()).toEqual([{ ...next(), ports }]);

    const { kits } = await stage.central().do('publishRunKits', { ...next(), sites: ['a', 'b'] });
    expect(kits.map(({ node }) => node).sort()).toEqual(['a', 'b', CENTRAL_NODE]);
    const kit = kits.find(({ node }) => node === CENTRAL_NODE)!;
    await stage.central().do('launchCentralNode', { ...next(), computation, kit, ports });
    expect(await stage.centralHost().runtimes.process.list()).toEqual([{ ...next(), node: CENTRAL_NODE }]);
    // A node notes its start itself, once it is up.
    await until(async () => (await stage.starts()).length > 2);
    expect(await stage.starts()).toEqual(['provision', CENTRAL_NODE, CENTRAL_NODE]);

    await stage.central().do('releaseLaunch', next());
    expect(await keys()).toEqual([]);
    expect(await stage.centralHost().ports.list()).toEqual([]);
  });

  test('does so once, also by a second attempt after the first was done', async () => {
    const { computation } = await launched();
    const take = { ...next(), from: stage.launchId, computation };
    const first = await stage.central().do('takeOverLaunch', take);
    expect(await stage.central().do('takeOverLaunch', take)).toEqual(first);
  });

  test('fails for good where the host no longer has the kits', async () => {
    const { computation } = await launched();
    await stage.central().do('releaseLaunch', stage.launch);
    const take = stage.central().do('takeOverLaunch', { ...next(), from: stage.launchId, computation });
    await expect(failureOf(take)).resolves.toMatchObject({
      ...{ type: 'ProvisionFailed', nonRetryable: true },
      message: expect.stringContaining('retry the run from provisioning') as string,
    });
  });

  test('that was stopped before, takes nothing', async () => {
    const { computation } = await launched();
    await stage.central().do('stopNode', { ...next(), node: CENTRAL_NODE, grace: '1s' });
    const take = stage.central().do('takeOverLaunch', { ...next(), from: stage.launchId, computation });
    await expect(failureOf(take)).resolves.toMatchObject({ type: 'NodeLost' });
    expect((await keys()).every((key) => key.startsWith(`${stage.launchId}/`))).toBe(true);
  });
});

describe('sites that begin anew', () => {
  const to = [
    { site: 'a', launchId: 'launch00000a' },
    { site: 'b', launchId: 'launch00000b' },
  ];

  test('find their kits under their own launches, each only its own, until the run ends', async () => {
    await launched();
    for (let times = 0; times < 2; times++) {
      const { kits } = await stage.central().do('handOnKits', { ...stage.launch, to });
      expect(kits.map(({ node, key }) => [node, key.split('/')[2]])).toEqual([
        ['a', 'launch00000a'],
        ['b', 'launch00000b'],
      ]);
    }
    const handedOn = (await keys()).filter((key) => key.startsWith('launch00000'));
    expect(handedOn.filter((key) => key.endsWith('.zip'))).toEqual([
      'launch00000a/kits/a.zip',
      'launch00000b/kits/b.zip',
    ]);
    await stage.central().do('releaseLaunch', stage.launch);
    expect(await keys()).toEqual([]);
  });

  test('bring their nodes up as a launch of their own', async () => {
    await launched();
    const { kits } = await stage.central().do('handOnKits', { ...stage.launch, to: to.slice(0, 1) });
    const ref = { runId: stage.runId, launchId: 'launch00000a' };
    const computation = stage.nodeComputation();
    const site = stage.member('a');
    await stage.site('a').do('fetchRunKit', { ...ref, site, computation, kit: kits[0]! });
    await stage.site('a').do('launchEdgeNode', { ...ref, site, computation });
    await until(async () => (await stage.starts()).includes('a'));
  });

  test('get none where the host has published none', async () => {
    await launched();
    const strange = [{ site: 'c', launchId: 'launch00000c' }];
    const handOn = stage.central().do('handOnKits', { ...stage.launch, to: strange });
    await expect(failureOf(handOn)).resolves.toMatchObject({ type: 'KitUnavailable' });
  });
});
