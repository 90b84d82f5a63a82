/** What a site lets its nodes reach. */
import { reachOf } from '../../activities/edge/reach';
import { ContainerRules } from '../../activities/shared/policy';
import type { NodeSpec } from '../../nodes';
import { Stage } from './stage';

const FEDERATION = { host: 'muster.example.org', ports: [20000, 20001] };
const rules = (containers: object) => ({ file: 'site.yaml', containers: ContainerRules.parse(containers) });

test.each([
  [undefined, []],
  ['https://reports.example.org/api/report', [{ host: 'reports.example.org', port: 443 }]],
  ['http://reports.example.org/api/report', [{ host: 'reports.example.org', port: 80 }]],
  ['http://host.docker.internal:7400/report', [{ host: 'host.docker.internal', port: 7400 }]],
])('a node that reports to %s reaches its central node and that', (reportUrl, reports) => {
  expect(reachOf(rules({}), FEDERATION, reportUrl)).toEqual([
    { host: 'muster.example.org', port: 20000 },
    { host: 'muster.example.org', port: 20001 },
    ...reports,
  ]);
});

test.each([[{ reach: 'any' }], [{ network: 'bounded-by-the-host' }], [{ network: 'bounded', reach: 'any' }]])(
  'with %j it is bounded by nothing of ours',
  (containers) => {
    expect(reachOf(rules(containers), FEDERATION, undefined)).toBeUndefined();
    expect(reachOf(rules(containers), undefined, undefined)).toBeUndefined();
  },
);

test('a central host, which has no such rules, bounds nothing', () => {
  expect(reachOf({ file: 'MUSTER_COMPUTATIONS' }, FEDERATION, undefined)).toBeUndefined();
});

test('a node is not started where it is not known what to bound it to', () => {
  expect(() => reachOf(rules({}), undefined, 'https://reports.example.org')).toThrow(
    expect.objectContaining({
      type: 'ReachNotBounded',
      message: expect.stringMatching(/^site\.yaml: containers\.reach: .*older version/) as string,
    }) as Error,
  );
});

describe('a node of a site', () => {
  const IMAGE = `registry.example.org/example@sha256:${'1'.repeat(64)}`;
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.close());

  /** What its container would be made of. */
  async function started(containers: object, told: object): Promise<NodeSpec | undefined> {
    let spec: NodeSpec | undefined;
    const host = stage.edgeHost('a');
    const docker = {
      ...host.runtimes.docker,
      inspect: () => Promise.resolve({ state: 'absent' as const }),
      ensure: (asked: NodeSpec) => {
        spec = asked;
        return Promise.resolve({ state: 'running' as const, id: 'c', startedAt: 1 });
      },
    };
    const rules = await host.policy();
    const allowed = { name: 'example', runtime: 'docker' as const, image: IMAGE };
    const site = stage.site('a', {
      runtimes: { ...host.runtimes, docker },
      images: { ...host.images, is: (reference, digest) => Promise.resolve(reference === digest) },
      policy: () =>
        Promise.resolve({ ...rules, computations: [allowed], containers: ContainerRules.parse(containers) }),
    });
    const computation = stage.nodeComputation({ image: IMAGE });
    const signed = stage.signedTerms(computation);
    await host.folders.addToRecord(stage.launch, { reportPath: '/report', reportToken: 'secret', signed });
    await site.do('launchEdgeNode', { ...stage.launch, site: stage.member('a'), computation, ...told });
    return spec;
  }

  test('reaches what its run and its site say', async () => {
    expect((await started({}, { endpoint: FEDERATION }))?.reach).toEqual([
      { host: 'muster.example.org', port: 20000 },
      { host: 'muster.example.org', port: 20001 },
      { host: 'host.docker.internal', port: 80 },
    ]);
  });

  test('reaches anything where its site says so, whatever the centre says', async () => {
    expect((await started({ reach: 'any' }, {}))?.reach).toBeUndefined();
  });

  test('is not started where the centre does not say where the federation is', async () => {
    await expect(started({}, {})).rejects.toMatchObject({ type: 'ReachNotBounded' });
  });
});
