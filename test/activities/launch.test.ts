/** One launch from the making of its kits to the last trace of it. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { CENTRAL_NODE } from '../../workflows/contract';
import { PROVISION, STAY, Stage, failureOf } from './stage';
import { until } from '../support/until';

let stage: Stage;
afterEach(() => stage.close());

describe('a launch', () => {
  test('is provisioned, published, run at its central node and its sites, collected and released', async () => {
    stage = await Stage.open();
    const { launch, member } = stage;
    const more = { outputs: { central: ['result.txt'], edge: ['*.txt'] } };
    const computation = stage.nodeComputation(more);
    const central = stage.central();

    const provisioned = await central.do('provisionProject', stage.provisionInput(['a', 'b'], more));
    expect(provisioned).toMatchObject({ hostQueue: 'central.test', endpoint: { host: 'localhost' } });
    const { ports } = provisioned.endpoint;
    expect(ports).toHaveLength(1);

    const { kits } = await central.do('publishRunKits', { ...launch, sites: ['a', 'b'] });
    expect(kits.map(({ node, key }) => [node, key])).toEqual(
      ['a', 'b', CENTRAL_NODE].map((node) => [
        node,
        `runs/${stage.runId}/${stage.launchId}/kits/${node}.zip`,
      ]),
    );
    const kitOf = (node: string) => kits.find((kit) => kit.node === node)!;

    const up = await central.do('launchCentralNode', {
      ...launch,
      computation,
      kit: kitOf(CENTRAL_NODE),
      ports,
    });
    expect(up).toMatchObject({ runtime: 'process', containerId: expect.stringMatching(/^\d+$/) as string });
    const centralEnd = await central.do('superviseNode', { ...launch, node: CENTRAL_NODE, computation });
    expect(centralEnd).toMatchObject({ exitCode: 0, outputs: [{ name: 'result.txt' }] });

    for (const id of ['a', 'b']) {
      const site = stage.site(id);
      await site.do('fetchRunKit', { ...launch, site: member(id), computation, kit: kitOf(id) });
      await site.do('launchEdgeNode', { ...launch, site: member(id), computation });
      const end = await site.do('superviseNode', { ...launch, node: id, computation });
      expect(end.outputs.map(({ name }) => name)).toEqual(['result.txt']);
      await site.do('releaseLaunch', launch);
    }
    await expect(stage.result('a')).resolves.toBe('the kit of a\na,b\n1,2\n');
    await expect(stage.result('b')).resolves.toBe('the kit of b\na,b\n1,2\n');

    const stored = await central.do('collectResults', { ...launch, node: CENTRAL_NODE });
    expect(stored.map(({ name, key }) => [name, key])).toEqual([
      ['result.txt', `runs/${stage.runId}/${stage.launchId}/results/central/result.txt`],
    ]);
    await central.do('releaseLaunch', launch);

    // Results stay; everything else is gone, but for the mark that nothing of this launch starts again.
    const mark = `launches/${stage.runId}.${stage.launchId}`;
    for (const host of ['central', 'a', 'b'])
      await expect(stage.kept(host)).resolves.toEqual([mark, `${mark}/stopped`]);
    await expect(stage.centralHost().ports.list()).resolves.toEqual([]);
    const objects = await stage.store.list(`runs/${stage.runId}`);
    const manifest = `runs/${stage.runId}/${stage.launchId}/results/manifest.json`;
    expect(objects.map(({ key }) => key)).toEqual([...stored.map(({ key }) => key), manifest]);
    await expect(stage.starts()).resolves.toEqual(['provision', CENTRAL_NODE, 'a', 'b']);
    expect(stage.reported()).toEqual([]);
  });

  test('tells its provisioning who takes part, where the central node will be, and with which parameters', async () => {
    stage = await Stage.open({ provision: `cp "$PROVISION_DIR/provision_input.json" seen\n${PROVISION}` });
    const central = stage.central({ centralName: 'central.example.org' });
    const { endpoint } = await central.do('provisionProject', stage.provisionInput(['a']));
    const seen: unknown = JSON.parse(await readFile(stage.path('computation/seen'), 'utf8'));
    expect(seen).toEqual({
      users: [{ id: 'a', name: 'Site a' }],
      computation_parameters: '{"rounds":3}',
      fed_learn_port: endpoint.ports[0],
      host_identifier: 'central.example.org',
    });
  });

  test('gives a node what it needs to report on itself, and nothing of the worker', async () => {
    stage = await Stage.open({ edge: 'env | grep ^MUSTER_ | sort > "$OUTPUT_DIR/result.txt"' });
    const { launch } = stage;
    const { kit } = await stage.publish(['a']);
    const [site, computation] = [stage.site('a'), stage.nodeComputation()];
    await site.do('fetchRunKit', { ...launch, site: stage.member('a'), computation, kit: kit('a') });
    await site.do('launchEdgeNode', { ...launch, site: stage.member('a'), computation });
    await site.do('superviseNode', { ...launch, node: 'a', computation });
    expect((await stage.result('a')).trim().split('\n')).toEqual([
      `MUSTER_LAUNCH_ID=${stage.launchId}`,
      'MUSTER_NODE=a',
      `MUSTER_REPORT_TOKEN=token-of-a`,
      `MUSTER_REPORT_URL=${stage.api.url}/api/runs/${stage.runId}/nodes/a/report`,
      `MUSTER_RUN_ID=${stage.runId}`,
    ]);
  });
});

describe('asked for twice, also by a worker that was started anew', () => {
  test('the kits are made once, on the same ports, and published once', async () => {
    stage = await Stage.open();
    const { launch } = stage;
    const input = stage.provisionInput(['a']);
    const first = await stage.central().do('provisionProject', input);
    await expect(stage.central().do('provisionProject', input)).resolves.toEqual(first);
    const published = await stage.central().do('publishRunKits', { ...launch, sites: ['a'] });
    // The kits are no longer on this host by now.
    await expect(stage.central().do('publishRunKits', { ...launch, sites: ['a'] })).resolves.toEqual(
      published,
    );
    await expect(stage.central().do('provisionProject', input)).resolves.toEqual(first);
    await expect(stage.starts()).resolves.toEqual(['provision']);
    await expect(stage.centralHost().ports.list()).resolves.toHaveLength(1);
  });

  test('two launches have ports of their own', async () => {
    stage = await Stage.open();
    const input = stage.provisionInput(['a']);
    const one = await stage.central().do('provisionProject', input);
    const other = await stage.central().do('provisionProject', { ...input, launchId: 'fedcba987654' });
    expect(other.endpoint.ports).not.toEqual(one.endpoint.ports);
  });

  test('a port that somebody else took meanwhile is named, and the launch goes on once it is free', async () => {
    stage = await Stage.open();
    const { kit, ports } = await stage.publish(['a']);
    const ofCentral = {
      ...stage.launch,
      computation: stage.nodeComputation(),
      kit: kit(CENTRAL_NODE),
      ports,
    };
    const other = createServer().listen(ports[0], '0.0.0.0');
    await once(other, 'listening');
    const refused = await failureOf(stage.central().do('launchCentralNode', ofCentral));
    expect(refused).toMatchObject({ type: 'NodeNotStarted', nonRetryable: false });
    expect(refused.message).toContain(`port ${ports[0]}`);
    await expect(stage.centralHost().runtimes.process.list()).resolves.toEqual([]);
    await new Promise((closed) => other.close(closed));
    const up = await stage.central().do('launchCentralNode', ofCentral);
    expect(up).toMatchObject({ runtime: 'process' });
  });

  test('a node is started once, on a kit that is not pulled from under its feet', async () => {
    stage = await Stage.open({ central: STAY, edge: `echo used > "$RUN_KIT_DIR/used"\n${STAY}` });
    const { launch, member } = stage;
    const { kit, ports } = await stage.publish(['a']);
    const computation = stage.nodeComputation();
    const ofCentral = { ...launch, computation, kit: kit(CENTRAL_NODE), ports };
    const up = await stage.central().do('launchCentralNode', ofCentral);
    await expect(stage.central().do('launchCentralNode', ofCentral)).resolves.toEqual(up);

    const fetching = { ...launch, site: member('a'), computation, kit: kit('a') };
    const launching = { ...launch, site: member('a'), computation };
    await stage.site('a').do('fetchRunKit', fetching);
    await stage.site('a').do('fetchRunKit', fetching);
    const edgeUp = await stage.site('a').do('launchEdgeNode', launching);
    await until(() => stage.result('a', 'up').catch(() => undefined));
    await stage.site('a').do('fetchRunKit', fetching);
    await expect(stage.site('a').do('launchEdgeNode', launching)).resolves.toEqual(edgeUp);

    expect(await stage.kept('a')).toContain(`launches/${stage.runId}.${stage.launchId}/kit/used`);
    // A node notes its start itself, once it is up.
    await until(async () => (await stage.starts()).includes(CENTRAL_NODE));
    expect((await stage.starts()).sort()).toEqual(['a', CENTRAL_NODE, 'provision']);
  });

  test('a node that has ended is not started again, and its end is told again', async () => {
    stage = await Stage.open();
    const { launch, member } = stage;
    const more = { outputs: { edge: ['result.txt'] } };
    const { kit } = await stage.publish(['a'], more);
    const computation = stage.nodeComputation(more);
    await stage.site('a').do('fetchRunKit', { ...launch, site: member('a'), computation, kit: kit('a') });
    const up = await stage.site('a').do('launchEdgeNode', { ...launch, site: member('a'), computation });
    const end = await stage.site('a').do('superviseNode', { ...launch, node: 'a', computation });
    const again = await stage.site('a').do('launchEdgeNode', { ...launch, site: member('a'), computation });
    expect(again.containerId).toBe(up.containerId);
    await expect(stage.site('a').do('superviseNode', { ...launch, node: 'a', computation })).resolves.toEqual(
      end,
    );
    await expect(stage.starts()).resolves.toEqual(['provision', 'a']);
  });

  test('results are stored once, and a launch is released as often as asked', async () => {
    stage = await Stage.open();
    const { launch } = stage;
    const { kit, ports } = await stage.publish(['a']);
    const ref = { ...launch, node: CENTRAL_NODE };
    const computation = stage.nodeComputation();
    await stage.central().do('launchCentralNode', { ...launch, computation, kit: kit(CENTRAL_NODE), ports });
    await stage.central().do('superviseNode', { ...ref, computation });
    const stored = await stage.central().do('collectResults', ref);
    await expect(stage.central().do('collectResults', ref)).resolves.toEqual(stored);
    await stage.central().do('releaseLaunch', launch);
    await stage.central().do('releaseLaunch', launch);
    await stage.site('a').do('releaseLaunch', launch);
    await expect(stage.result('central')).resolves.toBe('the kit of centralNode\n');
  });

  test('what `auto` meant first holds for the whole launch, should an engine come up meanwhile', async () => {
    stage = await Stage.open();
    const [entry] = stage.policy.computations;
    stage.policy = { ...stage.policy, computations: [{ ...entry!, runtime: 'auto', image: 'example:1' }] };
    const computation = stage.nodeComputation({ image: 'example:1' });
    const provisioned = stage.provisionInput(['a'], { image: 'example:1' });
    const { endpoint } = await stage.central().do('provisionProject', provisioned);
    const { kits } = await stage.central().do('publishRunKits', { ...stage.launch, sites: ['a'] });
    const withEngine = stage.central({ chooseRuntime: () => Promise.resolve('docker') });
    const kit = kits.find(({ node }) => node === CENTRAL_NODE)!;
    const launching = { ...stage.launch, computation, kit, ports: endpoint.ports };
    await expect(withEngine.do('launchCentralNode', launching)).resolves.toMatchObject({
      runtime: 'process',
    });
  });
});
