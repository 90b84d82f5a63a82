/** The NVFlare computation in real containers: that it computes, and that it fails in the ways it is asked to. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDockerRuntime } from '../../nodes/docker';
import { connectEngine } from '../../nodes/engine';
import { ensureImage } from '../../nodes/image';
import { describeWithEngine } from '../nodes/needs-engine';
import { until } from '../support/until';
import { useFolder } from '../support/folder';
import { AverageRun, FOLDER, manifest, SITES } from './nvflare-average-run';

const folder = useFolder();
const engine = connectEngine();
const RUN_MS = 180_000;

describeWithEngine('the mean by NVFlare', () => {
  let image: string;
  beforeAll(async () => {
    image = await ensureImage({ engine, image: manifest.image ?? '', folder: FOLDER, build: true });
  }, 900_000);

  const runs: AverageRun[] = [];
  afterEach(async () => {
    await Promise.all(runs.splice(0).map((run) => run.remove()));
  });

  function open(): AverageRun {
    const name = `run-${readdirSync(folder).length}`;
    const runtime = createDockerRuntime({ engine, stateDir: join(folder, 'state') });
    const run = new AverageRun(runtime, image, join(folder, name));
    runs.push(run);
    return run;
  }
  async function provisioned(parameters: object = {}): Promise<AverageRun> {
    const run = open();
    expect(await run.provision(parameters)).toMatchObject({ exitCode: 0 });
    return run;
  }
  async function complete(run: AverageRun, data?: Record<string, string>): Promise<(number | undefined)[]> {
    await Promise.all([run.startCentral(), run.startEdges(SITES, data)]);
    return run.exitCodes('central', ...SITES);
  }

  test(
    'is the same at every site; a kit that central has used before is refused',
    async () => {
      const run = await provisioned();
      expect(run.kits()).toEqual(['a', 'b', 'c', 'centralNode']);
      expect(await complete(run)).toEqual([0, 0, 0, 0]);

      expect(run.result('central')).toEqual({ mean: 5, n: 9, sites: { a: 3, b: 2, c: 4 } });
      expect(SITES.map(run.result)).toEqual([
        { site: 'a', mean: 5, n: 9, local_mean: 2, local_n: 3 },
        { site: 'b', mean: 5, n: 9, local_mean: 15, local_n: 2 },
        { site: 'c', mean: 5, n: 9, local_mean: 2.25, local_n: 4 },
      ]);

      await run.startCentral(run.usedKit('central'));
      expect(await run.exitCodes('central')).toEqual([1]);
      expect(run.marker('central')).toMatchObject({ origin: 'central', error_type: 'FileExistsError' });
    },
    RUN_MS,
  );

  test(
    'data that are no numbers fail their site and central, and leave the others without results',
    async () => {
      const run = await provisioned();
      expect(await complete(run, { b: '1\nSECRET\n' })).toEqual([1, 0, 1, 0]);

      const failure = {
        ...{ schema_version: 1, origin: 'site', scope: 'b', stage: 'summarise', error_type: 'ValueError' },
        message: 'values.csv, line 2 is not a number',
      };
      for (const node of ['b', 'central']) {
        expect(run.marker(node)).toMatchObject(failure);
        const line = (await run.log(node, 1)).replace(/^NEUROFLAME_SHARED_ERROR:/, '');
        expect(JSON.parse(line)).toEqual(run.marker(node));
      }
      expect(await run.log('central')).not.toContain('SECRET');
      expect(['central', ...SITES].map(run.result)).toEqual([undefined, undefined, undefined, undefined]);
      expect(['a', 'c'].map(run.marker)).toEqual([undefined, undefined]);
    },
    RUN_MS,
  );

  test(
    'every node can be silent, as older images are',
    async () => {
      const run = await provisioned({ silentAt: '*' });
      expect(await complete(run)).toEqual([0, 0, 0, 0]);
      expect(['central', ...SITES].map(run.result)).toEqual([undefined, undefined, undefined, undefined]);
    },
    RUN_MS,
  );

  test(
    'a site that finds no central waits for ever, and calls it a failure when it is ended',
    async () => {
      const run = await provisioned({ failAt: 'central' });
      await Promise.all([run.startCentral(), run.startEdges(['a'])]);
      expect(await run.exitCodes('central')).toEqual([1]);
      expect(run.marker('central')).toMatchObject({ origin: 'central', error_type: 'RequestedFailure' });
      // NVFlare's client speaks, so the node has begun, and hears that it is asked to end.
      await until(async () => (await run.log('a')) !== '');
      expect(await run.isRunning('a')).toBe(true);

      expect(await run.stop('a', 10_000)).toEqual({ wasRunning: true, forced: false });
      expect(await run.exitCodes('a')).toEqual([1]);
      expect(run.marker('a')).toMatchObject({ origin: 'site', scope: 'a', error_type: 'Terminated' });
    },
    RUN_MS,
  );

  test(
    'a site can fill its log, never join and ignore SIGTERM',
    async () => {
      const run = await provisioned({ logMegabytes: 1, neverStartAt: 'a', ignoreSigtermAt: 'a' });
      await run.startEdges(['a']);
      await until(async () => (await run.log('a', 1)).includes('never to start'));
      const log = await engine.getContainer(await run.containerId('a')).logs({ stdout: true });
      expect(log.length).toBeGreaterThan(2 ** 20);
      expect(await run.stop('a', 1_000)).toEqual({ wasRunning: true, forced: true });
    },
    RUN_MS,
  );

  test.each<[string, object, object, string]>([
    ['a key of an older contract', {}, { admin_port: 8003 }, "must not have the keys ['admin_port']"],
    ['a key that is missing', {}, { host_identifier: undefined }, "lacks the keys ['host_identifier']"],
    ['a parameter that there is not', { colour: 'red' }, {}, 'There is no parameter colour'],
  ])('provisioning refuses %s', async (_what, parameters, change, problem) => {
    const run = open();
    const { exitCode, output } = await run.provision(parameters, change);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^provision: .*\n?$/);
    expect(output).toContain(problem);
    expect(run.kits()).toEqual([]);
  });
});
