/** The penguins' programs as processes, over real connections. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { parse } from 'yaml';
import { Computation } from '../../workflows/contract';
import { useFolder } from '../support/folder';
import { buildPenguins, ISLANDS, PENGUINS, Run, type Program } from './penguins-processes';

const folder = useFolder();
const dist = join(folder, 'dist');
beforeAll(() => buildPenguins(dist));

const runs: Run[] = [];
afterEach(async () => {
  await Promise.all(runs.splice(0).map((run) => run.stop()));
});

let count = 0;
async function provision(parameters: object = {}): Promise<Run> {
  const { run, code, output } = await Run.provision(dist, join(folder, `run-${count++}`), parameters);
  runs.push(run);
  if (code !== 0) throw new Error(output);
  return run;
}
const codes = (programs: readonly Program[]) => Promise.all(programs.map((program) => program.ended));

/** Writes a table for a site of its own. */
function dataFolder(name: string, ...lines: string[]): string {
  const path = join(folder, `data-${name}-${count++}`);
  mkdirSync(path);
  writeFileSync(join(path, 'table.csv'), lines.join('\n'));
  return path;
}

const PENGUIN_FIT = {
  outcome: 'body_mass_g',
  predictor: 'flipper_length_mm',
  sites: 3,
  n: 342,
  intercept: expect.closeTo(-5780.8313581, 6) as number,
  slope: expect.closeTo(49.6855664, 6) as number,
};

describe('a run', () => {
  test('gives every node the fit of all rows, and each site its own beside it; edges may come before central', async () => {
    const run = await provision();
    const edges = ISLANDS.map((site) => run.edge(site));
    await edges[0]?.said('trying again');
    const central = run.central();
    expect(await codes([central, ...edges])).toEqual([0, 0, 0, 0]);

    const common = run.result('central', 'global_fit.json');
    expect(common).toMatchObject(PENGUIN_FIT);
    for (const site of ISLANDS) expect(run.result(site, 'global_fit.json')).toEqual(common);
    const own = ISLANDS.map((site) => run.result(site, 'local_fit.json'));
    expect(own).toMatchObject([
      { n: 167, slope: expect.closeTo(48.54, 2) as number },
      { n: 124, slope: expect.closeTo(29.14, 2) as number },
      { n: 51, slope: expect.closeTo(31.13, 2) as number },
    ]);
    for (const [index, program] of [...edges, central].entries())
      expect(program.output).toMatch(
        new RegExp(
          `^${index < 3 ? `edge ${ISLANDS[index] ?? ''}` : 'central'}: started \\d{4}-[-:.\\dT]+Z\n`,
        ),
      );
  });

  test('other columns can be asked for', async () => {
    const run = await provision({ outcome: 'bill_length_mm', predictor: 'bill_depth_mm' });
    expect(await codes([run.central(), ...ISLANDS.map((site) => run.edge(site))])).toEqual([0, 0, 0, 0]);
    expect(run.result('dream', 'global_fit.json')).toMatchObject({
      predictor: 'bill_depth_mm',
      n: 342,
      slope: expect.closeTo(-0.6498356, 6) as number,
    });
  });

  test('survives a central that is killed and comes back with a pristine kit, and an edge that does', async () => {
    const run = await provision({ pauseSeconds: 600 });
    const first = run.central();
    const [biscoe, dream] = [run.edge('biscoe'), run.edge('dream')];
    const torgersen = run.edge('torgersen');
    await torgersen.said('complete rows');
    torgersen.signal('SIGKILL');
    await first.said('listening');
    first.signal('SIGKILL');
    await first.ended;
    await biscoe.said('trying again');

    const parameters = readFileSync(join(run.kit('centralNode'), 'parameters.json'), 'utf8').replace(
      '600',
      '0',
    );
    const kit = run.kitWith('centralNode', { 'parameters.json': parameters });
    const second = run.central({ RUN_KIT_DIR: kit });
    expect(await codes([second, biscoe, dream, run.edge('torgersen')])).toEqual([0, 0, 0, 0]);
    expect(run.result('dream', 'global_fit.json')).toMatchObject(PENGUIN_FIT);
  });

  test('stops at once when asked, without calling it an error', async () => {
    const run = await provision();
    const [central, edge] = [run.central(), run.edge('dream')];
    await Promise.all([central.said('listening'), edge.said('complete rows')]);
    for (const program of [central, edge]) program.signal('SIGTERM');
    expect(await codes([central, edge])).toEqual([143, 143]);
    expect(existsSync(join(run.output('dream'), '.neuroflame_error.json'))).toBe(false);
  });
});

describe('who may take part', () => {
  test('a certificate of another run is refused, and the run goes on without it', async () => {
    const [run, other] = await Promise.all([provision(), provision()]);
    const read = (name: string) => readFileSync(join(other.kit('dream'), name), 'utf8');
    const forged = run.kitWith('dream', {
      'certificate.pem': read('certificate.pem'),
      'key.pem': read('key.pem'),
    });
    const central = run.central();
    await central.said('listening');
    const intruder = run.edge('dream', { RUN_KIT_DIR: forged, OUTPUT_DIR: join(folder, 'intruder') });
    expect(await intruder.ended).toBe(1);
    expect(intruder.output).toContain("does not accept this node's certificate");
    expect(central.output).toContain('central: refused a connection');

    expect(await codes([central, ...ISLANDS.map((site) => run.edge(site))])).toEqual([0, 0, 0, 0]);
  });

  test('an edge does not talk to a central of another run', async () => {
    const [run, other] = await Promise.all([provision(), provision()]);
    const central = run.central();
    await central.said('listening');
    const settings = readFileSync(join(run.kit('dream'), 'node.json'), 'utf8');
    const stray = other.edge('dream', { RUN_KIT_DIR: other.kitWith('dream', { 'node.json': settings }) });
    expect(await stray.ended).toBe(1);
    expect(stray.output).toMatch(/edge dream: Central at 127\.0\.0\.1:\d+: .*certificate/);
  });

  test('kits hold nothing of another node, nor the authority’s key, and only their owner reads them', async () => {
    const run = await provision();
    const nodes = ['centralNode', ...ISLANDS];
    expect(readdirSync(join(run.folder, 'runKits')).sort()).toEqual([...nodes].sort());
    const keys = new Set<string>();
    for (const node of nodes) {
      const files = readdirSync(run.kit(node)).sort();
      expect(files).toEqual(['ca.pem', 'certificate.pem', 'key.pem', 'node.json', 'parameters.json']);
      for (const file of files) expect(statSync(join(run.kit(node), file)).mode & 0o777).toBe(0o600);
      keys.add(readFileSync(join(run.kit(node), 'key.pem'), 'utf8'));
    }
    expect(keys.size).toBe(4);
    const everything = readdirSync(run.folder, { recursive: true, encoding: 'utf8' });
    expect(everything.filter((name) => name.endsWith('.pem'))).toHaveLength(12);
  });
});

describe('what goes wrong is said where it went wrong', () => {
  /** An edge that fails alone, with central there. */
  async function failingEdge(data: string): Promise<{ message: string; marker: unknown }> {
    const run = await provision();
    const edge = run.edge('dream', { DATA_DIR: data });
    expect(await edge.ended).toBe(1);
    const lines = edge.output.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    return { message: lines[1] ?? '', marker: run.result('dream', '.neuroflame_error.json') };
  }

  test.each<[string, string[], string]>([
    ['a missing column', ['flipper_length_mm', '1'], 'table.csv has no column "body_mass_g"'],
    [
      'text among numbers',
      ['flipper_length_mm,body_mass_g', '181,SECRET'],
      'table.csv, line 2: "body_mass_g" is not a number',
    ],
    [
      'too few rows',
      ['flipper_length_mm,body_mass_g', '181,3750'],
      'There are 1 complete rows; fewer than 5 would not stay private',
    ],
  ])('%s', async (_what, lines, problem) => {
    const { message, marker } = await failingEdge(dataFolder('bad', ...lines));
    expect(message).toBe(`edge dream: ${problem}`);
    expect(marker).toMatchObject({
      schema_version: 1,
      origin: 'site',
      stage: 'reading data',
      message: problem,
    });
  });

  test('no table, several tables, no folder', async () => {
    expect((await failingEdge(join(PENGUINS, 'data'))).message).toBe(
      'edge dream: The data folder has no CSV file',
    );
    expect((await failingEdge(join(folder, 'nowhere'))).message).toBe(
      'edge dream: The data folder cannot be read',
    );
    const two = dataFolder('two', 'a,b');
    writeFileSync(join(two, 'other.CSV'), '');
    expect((await failingEdge(two)).message).toContain('2 CSV files');
  });

  test('rows that determine no line end every node with the reason', async () => {
    const run = await provision();
    const data = dataFolder(
      'same',
      'flipper_length_mm,body_mass_g',
      ...Array.from({ length: 9 }, (_, row) => `5,${row}`),
    );
    const central = run.central();
    const edges = ISLANDS.map((site) => run.edge(site, { DATA_DIR: data }));
    expect(await codes([central, ...edges])).toEqual([1, 1, 1, 1]);
    expect(central.output).toContain('central: All rows have the same flipper_length_mm');
    for (const edge of edges)
      expect(edge.output).toContain('Central says: All rows have the same flipper_length_mm');
  });

  test('a port that is taken', async () => {
    const run = await provision();
    const taken = createServer().listen(run.port);
    await once(taken, 'listening');
    const central = run.central();
    expect(await central.ended).toBe(1);
    expect(central.output).toMatch(/central: Cannot listen on port \d+: .*EADDRINUSE/);
    taken.close();
  });

  test('a kit that is not there', async () => {
    const run = await provision();
    const edge = run.edge('dream', { RUN_KIT_DIR: join(folder, 'nowhere') });
    expect(await edge.ended).toBe(1);
    expect(edge.output).toMatch(/^edge: .*node\.json cannot be read \(ENOENT\)\n$/);
  });

  test('a provision input of another contract', async () => {
    const { code, output } = await Run.provision(dist, join(folder, 'refused'), {}, { admin_port: 8003 });
    expect(code).toBe(1);
    expect(output).toBe('provision: provision_input.json must not have the key "admin_port"\n');
  });
});

describe('reports', () => {
  test('nodes tell how far they are, with their token; nobody has to listen', async () => {
    const run = await provision({ pauseSeconds: 1 });
    const seen: { url: string; headers: IncomingHttpHeaders; body: unknown }[] = [];
    const server = createHttpServer((request, response) => {
      void json(request).then((body) => {
        seen.push({ url: request.url ?? '', headers: request.headers, body });
        response.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const reporting = (node: string) => ({
      MUSTER_REPORT_URL: `${origin}/${node}`,
      MUSTER_REPORT_TOKEN: `token of ${node}`,
    });

    const programs = [
      run.central(reporting('central')),
      run.edge('biscoe', reporting('biscoe')),
      run.edge('dream', { MUSTER_REPORT_URL: 'http://127.0.0.1:1/', MUSTER_REPORT_TOKEN: 'x' }),
      run.edge('torgersen'),
    ];
    expect(await codes(programs)).toEqual([0, 0, 0, 0]);
    const of = (node: string) => seen.filter((report) => report.url === `/${node}`);
    expect(of('central').map(({ body }) => body)).toMatchObject([
      { phase: 'waiting', progress: 0 },
      { phase: 'pause', detail: '1 of 1 s', progress: 0.5 },
      { phase: 'handing out' },
      { phase: 'done', progress: 1 },
    ]);
    // Reading a small file and then connecting is said in one breath.
    expect(of('biscoe').map(({ body }) => body)).toEqual([
      { phase: 'connecting' },
      { phase: 'done', progress: 1 },
    ]);
    for (const { headers } of of('biscoe')) expect(headers.authorization).toBe('Bearer token of biscoe');
    server.closeAllConnections();
    server.close();
  });
});

test('its manifest is a computation, and names files that its programs leave', () => {
  const manifest = Computation.parse(parse(readFileSync(join(PENGUINS, 'computation.yaml'), 'utf8')));
  expect(manifest.name).toBe('penguins');
  expect(manifest.outputs).toEqual({
    central: ['global_fit.json'],
    edge: ['global_fit.json', 'local_fit.json'],
  });
  expect(Object.values(manifest.commands).map(([program]) => program)).toEqual(['node', 'node', 'node']);
});
