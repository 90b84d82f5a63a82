/**
 * A real computation in real containers, and what real ones do when something goes wrong: whatever it is, the run says so
 * by name, nothing hangs, and nothing of the run is left on the host.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { computationBody } from '../../cli/computation-body';
import { connectEngine } from '../../nodes';
import type { RunDetail } from '../../workflows/api-contract';
import { CENTRAL_NODE, Computation, LABEL_RUN, type Parameters } from '../../workflows/contract';
import { describeWithEngine } from '../nodes/needs-engine';
import { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';

// Where the image is not there yet, it is built first, on a base that is made on this host if need be.
jest.setTimeout(1_200_000);

const folder = useFolder();
const MANIFEST = join(__dirname, '../../computations/nvflare-average/computation.yaml');
const VALUES = { a: [1, 2, 3], b: [10, 20], c: [-4.5, 0.5, 6, 7] };
const SITES = ['a', 'b', 'c'] as const;
const MEAN = 45 / 9;

describeWithEngine('an NVFlare computation', () => {
  const engine = connectEngine();
  const manifest = Computation.parse(parse(readFileSync(MANIFEST, 'utf8')));
  let consortium: Consortium;

  const dataFile = (site: string) => join(folder, 'data', site, 'values.csv');
  const write = (site: (typeof SITES)[number]) => writeFileSync(dataFile(site), VALUES[site].join('\n'));

  beforeAll(async () => {
    for (const site of SITES) {
      mkdirSync(join(folder, 'data', site), { recursive: true });
      write(site);
    }
    const sites = SITES.flatMap((site) => ['--site', `${site}=${join(folder, 'data', site)}`]);
    consortium = await Consortium.open([MANIFEST, ...sites, '--runtime', 'docker']);
  });
  afterAll(async () => {
    const unreplayable = await consortium.replayAll();
    await consortium.muster.end();
    expect(unreplayable).toEqual([]);
  });

  /** Starts a run; `changes` are made to the computation of this run. */
  function start(id: string, parameters: Parameters, changes: Partial<Computation> = {}): Promise<string> {
    return consortium.start(id, {
      name: id,
      computation: computationBody({ ...manifest, ...changes }),
      parameters,
      sites: SITES.map((site) => ({ id: site, name: `Hospital ${site}`, dataset: manifest.name })),
      windows: { retry: '10s', stopConfirm: '30s' },
    });
  }
  const states = ({ nodes }: RunDetail) => Object.fromEntries(nodes.map(({ node, state }) => [node, state]));
  const node = ({ nodes }: RunDetail, name: string) => nodes.find((view) => view.node === name);

  /** The container of a node ends as if the host had killed it. */
  async function kill(detail: RunDetail, name: string): Promise<void> {
    await engine.getContainer(node(detail, name)?.containerId ?? '').kill({ signal: 'SIGKILL' });
  }

  /** What is still there of a run that has ended, on the host and in the object store, besides its results and logs. */
  async function leftovers(runId: string): Promise<string[]> {
    const { state } = consortium.muster;
    const containers = await engine.listContainers({
      all: true,
      filters: { label: [`${LABEL_RUN}=${runId}`] },
    });
    const networks = await engine.listNetworks();
    const files = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.includes(runId) && !/^results\/|\/results(\/|$)|\/logs(\/|$)/.test(path),
    );
    const ports = readFileSync(join(state, 'central/ports.json'), 'utf8');
    return [
      ...containers.map(({ Names }) => `container ${String(Names)}`),
      ...networks.filter((network) => JSON.stringify(network).includes(runId)).map(({ Name }) => Name),
      // An empty mark that keeps a late start from starting anything, and the folders around it and around results.
      ...files.filter(
        (path) => !/\/launches\/[^/]+(\/stopped)?$|^minio\/muster\/runs\/[^/]+(\/[^/]+)?$/.test(path),
      ),
      ...(ports.includes(runId) ? ['a reserved port'] : []),
    ];
  }

  async function logOf(runId: string, name: string): Promise<string> {
    const { signal } = new AbortController();
    const pieces = await consortium.api.openNodeLog(runId, name, undefined, signal);
    return new Response(pieces).text();
  }

  async function ended(runId: string): Promise<RunDetail> {
    const detail = await consortium.ended(runId);
    await consortium.partsOver(runId, SITES);
    expect(await leftovers(runId)).toEqual([]);
    return detail;
  }

  it('finds the mean at every site, of all values and without moving any', async () => {
    const runId = consortium.page.pathname.split('/').at(-1) ?? '';
    const { run } = await ended(runId);
    expect(run.state).toBe('complete');
    const results = join(consortium.muster.state, 'results');
    for (const site of SITES) {
      const file = join(results, 'sites', site, runId, run.launchId ?? '', 'global_mean.json');
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ mean: MEAN, n: 9 });
    }
    expect(existsSync(join(results, 'central', runId, run.launchId ?? '', 'global_mean.json'))).toBe(true);
  });

  it('gives its results and its logs to who may see the run', async () => {
    const runId = consortium.page.pathname.split('/').at(-1) ?? '';
    const { results } = await consortium.api.listResults({ path: { runId } });
    expect(results.map(({ name }) => name)).toEqual(['global_mean.json']);
    const content = await consortium.api.openResult(runId, 'global_mean.json');
    expect(await new Response(content).json()).toMatchObject({ mean: MEAN, n: 9 });
    expect(await logOf(runId, CENTRAL_NODE)).toMatch(/FederatedServer.*client a registered/);
    // The sites of `muster try` are one person's own, and keep nothing back.
    expect(await logOf(runId, 'a')).toContain('Successfully registered client:a');
  });

  it('a central node whose server does not come up ends the sites that wait for it', async () => {
    const detail = await ended(await start('no-server', { failAt: CENTRAL_NODE }));
    expect(detail.run).toMatchObject({ state: 'failed', error: { node: CENTRAL_NODE } });
    for (const site of SITES) expect(node(detail, site)?.state).toBe('stopped');
  });

  it('a site that never takes part is waited for until the deadline, and no longer', async () => {
    const deadlines = { ...manifest.deadlines, run: '25s' as const };
    const detail = await ended(await start('silent-site', { neverStartAt: 'b' }, { deadlines }));
    expect(detail.run).toMatchObject({ state: 'failed', error: { type: 'DeadlineExceeded' } });
    expect(node(detail, 'b')?.error?.message).toContain('did not end within 25s');
  });

  it('bad data at one site is that site’s failure, whoever else ends with an error or without results', async () => {
    writeFileSync(dataFile('b'), '10\nn/a\n');
    try {
      const { run } = await ended(await start('bad-data', {}));
      expect(run).toMatchObject({ state: 'failed', error: { node: 'b', type: 'NodeError' } });
    } finally {
      write('b');
    }
  });

  it('a failure that a site reports itself is told in its words', async () => {
    const { run, errors } = await ended(await start('site-fails', { failAt: 'c' }));
    expect(run).toMatchObject({ state: 'failed', error: { node: 'c', type: 'NodeError' } });
    expect(run.error?.message).toContain('The computation reported');
    expect(errors.filter(({ node, retrying }) => node === 'c' && !retrying)).toHaveLength(1);
  });

  it('a central node that is killed ends the sites, which would go on for ever', async () => {
    const runId = await start('central-killed', { sleepSeconds: 600 });
    await kill(await consortium.up(runId), CENTRAL_NODE);
    const detail = await ended(runId);
    expect(detail.run).toMatchObject({ state: 'failed', error: { node: CENTRAL_NODE, type: 'NodeExited' } });
    expect(detail.run.error?.message).toContain('SIGKILL');
    expect(states(detail)).toEqual({ central: 'failed', a: 'stopped', b: 'stopped', c: 'stopped' });
  });

  it('a site’s node that is killed is noticed at once, and named', async () => {
    const runId = await start('edge-killed', { sleepSeconds: 600 });
    await kill(await consortium.up(runId), 'a');
    const detail = await ended(runId);
    expect(detail.run).toMatchObject({ state: 'failed', error: { node: 'a', type: 'NodeExited' } });
    expect(states(detail)).toEqual({ central: 'stopped', a: 'failed', b: 'stopped', c: 'stopped' });
  });

  it('with a policy that goes on, the run outlives a site', async () => {
    const failure = { onSiteFailure: 'continue' as const, minSites: 1, mayReturn: false };
    const runId = await start('goes-on', { sleepSeconds: 600 }, { failure });
    await kill(await consortium.up(runId), 'a');
    const lost = await consortium.until(runId, (detail) => node(detail, 'a')?.state === 'failed');
    expect(lost.run.state).toBe('running');
    await consortium.api.stopRun({ path: { runId } });
    expect(states(await ended(runId))).toEqual({
      central: 'stopped',
      a: 'failed',
      b: 'stopped',
      c: 'stopped',
    });
  });

  it('a node that exits with 0 and leaves no results has failed', async () => {
    const { run } = await ended(await start('silent', { silentAt: 'b' }));
    expect(run).toMatchObject({ state: 'failed', error: { node: 'b', type: 'OutputsMissing' } });
  });

  it('a run whose every container exits with 0 and without results has failed', async () => {
    const { run } = await ended(await start('all-silent', { silentAt: '*' }));
    expect(run).toMatchObject({ state: 'failed', error: { type: 'OutputsMissing' } });
  });

  it.each([
    ['central node', CENTRAL_NODE],
    ['site', 'b'],
  ])('a stop is one also for a %s that ignores it, and no error', async (_what, stubborn) => {
    const deadlines = { ...manifest.deadlines, stopGrace: '3s' as const };
    const runId = await start(
      `stubborn-${stubborn}`,
      { sleepSeconds: 600, ignoreSigtermAt: stubborn },
      { deadlines },
    );
    await consortium.up(runId);
    await consortium.api.stopRun({ path: { runId } });
    const detail = await ended(runId);
    expect(states(detail)).toEqual({ central: 'stopped', a: 'stopped', b: 'stopped', c: 'stopped' });
    expect(detail.run.state).toBe('stopped');
    expect(detail.errors).toEqual([]);
  });

  it('a log of 50 MB changes nothing', async () => {
    const { run } = await ended(await start('talkative', { logMegabytes: 50 }));
    expect(run.state).toBe('complete');
  });
});
