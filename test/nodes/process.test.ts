import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NodeRuntime } from '../../nodes/node-runtime';
import { createProcessRuntime } from '../../nodes/process';
import { itRunsNodes } from './runtime-suite';
import { Bench, left, never, output } from './support';

const run = promisify(execFile);

/** Commands of the processes in a group, zombies aside. */
async function group(id: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pgid=,stat=,args=']);
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([pgid, state]) => pgid === id && !state?.startsWith('Z'))
    .map((line) => line.join(' '));
}

describe('nodes as processes', () => {
  itRunsNodes({
    open: ({ stateDir }) => createProcessRuntime({ stateDir }),
    place: () => ({ folder: tmpdir() }),
    nowhere: { folder: '/no/such/computation' },
    remains: group,
  });
});

describe('the process runtime', () => {
  let bench: Bench;
  let runtime: NodeRuntime;
  beforeEach(async () => {
    bench = await Bench.open({ folder: tmpdir() });
    runtime = createProcessRuntime({ stateDir: bench.stateDir });
  });
  afterEach(() => bench.close(runtime));

  const STAY = 'setInterval(() => {}, 1000);';
  const nodeFolder = async () => {
    const root = join(bench.stateDir, 'nodes');
    return join(root, (await readdir(root))[0]!);
  };

  test("nothing of the worker's environment reaches a node but what programs need", async () => {
    process.env.MUSTER_API_TOKEN = 'secret';
    const spec = await bench.node(
      `fs.writeFileSync(process.env.OUTPUT_DIR + '/env', JSON.stringify(process.env))`,
      {
        env: { MUSTER_NODE: 'biscoe' },
      },
    );
    try {
      await runtime.ensure(spec);
      await runtime.wait(spec, never);
    } finally {
      delete process.env.MUSTER_API_TOKEN;
    }
    const seen = JSON.parse(await output(spec, 'env')) as Record<string, string>;
    // Shells add some of their own.
    for (const name of ['PATH', 'HOME', 'LANG', 'TMPDIR', 'PWD', 'OLDPWD', 'SHLVL', '_'])
      Reflect.deleteProperty(seen, name);
    const { kit, data, output: out } = spec.folders;
    expect(seen).toEqual({
      RUN_KIT_DIR: kit,
      PARAMETERS_FILE_PATH: join(kit!, 'parameters.json'),
      DATA_DIR: data,
      OUTPUT_DIR: out,
      MUSTER_NODE: 'biscoe',
    });
  });

  test('a provisioning node gets its folder by name', async () => {
    const provision = join(bench.root, 'provision');
    await mkdir(provision);
    const script = `fs.writeFileSync(process.env.PROVISION_DIR + '/made', '' + process.env.DATA_DIR)`;
    const spec = await bench.node(script, { folders: { provision } });
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(provision, 'made'), 'utf8')).toBe('undefined');
  });

  test("a node runs in its computation's folder, also by a program of that folder", async () => {
    const folder = join(bench.root, 'computation');
    await mkdir(join(folder, 'bin'), { recursive: true });
    await writeFile(join(folder, 'bin/start'), '#!/bin/sh\necho "$1 in $(pwd)"\n', { mode: 0o755 });
    const spec = await bench.node('', { folder, command: ['bin/start', 'two words'] });
    await runtime.ensure(spec);
    await runtime.wait(spec, never);
    expect(await runtime.logs(spec, 5)).toBe(`two words in ${folder}\n`);
  });

  test('a program that is named like a builtin of the shell is run as the program', async () => {
    const spec = await bench.node('', { command: ['true'] });
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
  });

  test('what is kept about a node is private to the user of the worker', async () => {
    const spec = await bench.node('');
    await runtime.ensure(spec);
    await runtime.wait(spec, never);
    const folder = await nodeFolder();
    const mode = async (path: string) => ((await stat(join(folder, path))).mode & 0o777).toString(8);
    expect(await Promise.all(['.', 'keeper'].map(mode))).toEqual(['700', '700']);
    expect(await Promise.all(['log', 'keeper/claim', 'keeper/exit'].map(mode))).toEqual([
      '600',
      '600',
      '600',
    ]);
    expect((await stat(bench.stateDir)).mode & 0o777).toBe(0o700);
  });

  test('a node whose keeper was killed has ended without a known exit code, and stopping it ends what it left', async () => {
    const spec = await bench.node(`${STAY} fs.writeFileSync(process.env.OUTPUT_DIR + '/up', '')`);
    const { id } = await runtime.ensure(spec);
    await left(spec, 'up');
    const ended = runtime.wait(spec, never);
    process.kill(Number(id), 'SIGKILL');
    expect(await ended).toMatchObject({ state: 'exited', id, exitCode: undefined });
    expect(await group(id)).toHaveLength(1);
    expect(await runtime.stop(spec, 5000)).toEqual({ wasRunning: true, forced: false });
    expect(await group(id)).toEqual([]);
    expect(await runtime.inspect(spec)).toMatchObject({ exitCode: undefined });
  });

  test('a pid that was given to another process is not taken for the node, nor harmed', async () => {
    const [victim, spec] = [await bench.node(STAY, { node: 'victim' }), await bench.node('')];
    const { id } = await runtime.ensure(victim);
    await runtime.ensure(spec);
    await runtime.wait(spec, never);
    const keeper = join(bench.stateDir, 'nodes', `${spec.runId}.${spec.launchId}.${spec.node}`, 'keeper');
    const [, started] = (await readFile(join(keeper, 'claim'), 'utf8')).split('\n');
    await writeFile(join(keeper, 'claim'), `${id}\n${started!.replace(/\d+$/, '1')}\n`);
    await writeFile(join(keeper, 'exit'), '');

    expect(await runtime.inspect(spec)).toMatchObject({ state: 'exited', exitCode: undefined });
    expect(await runtime.stop(spec, 0)).toEqual({ wasRunning: false, forced: false });
    await runtime.remove(spec);
    expect(await runtime.inspect(victim)).toMatchObject({ state: 'running', id });
  });

  test('a keeper that was killed while it claimed the node leaves a node that has ended', async () => {
    const spec = await bench.node(STAY);
    const keeper = join(bench.stateDir, 'nodes', `${spec.runId}.${spec.launchId}.${spec.node}`, 'keeper');
    await mkdir(keeper, { recursive: true });
    await writeFile(join(keeper, 'claim'), '');
    expect(await runtime.ensure(spec)).toMatchObject({ state: 'exited', exitCode: undefined });
    expect(await runtime.stop(spec, 0)).toEqual({ wasRunning: false, forced: false });
  });

  test('a node that cannot be written down is not started, and may be tried again', async () => {
    await writeFile(join(bench.root, 'file'), '');
    const broken = createProcessRuntime({ stateDir: join(bench.root, 'file') });
    await expect(broken.ensure(await bench.node(STAY))).rejects.toMatchObject({
      type: 'NodeNotStarted',
      nonRetryable: false,
      message: expect.stringContaining('ENOTDIR') as string,
    });
    expect(await broken.list()).toEqual([]);
  });

  test('of a log of any size the last lines are found', async () => {
    const spec = await bench.node(
      `process.stdout.write('x'.repeat(99).concat('\\n').repeat(30_000) + 'last\\n')`,
    );
    await runtime.ensure(spec);
    await runtime.wait(spec, never);
    expect(await runtime.logs(spec, 2)).toBe(`${'x'.repeat(99)}\nlast\n`);
    expect((await runtime.logs(spec, 100_000)).length).toBeLessThanOrEqual(1024 * 1024);
  });

  test('twenty nodes are waited for at once', async () => {
    const specs = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        bench.node('', { node: `site-${n}`, command: ['sh', '-c', `exit ${n}`] }),
      ),
    );
    const waits = specs.map(async (spec) => {
      await runtime.ensure(spec);
      return runtime.wait(spec, never);
    });
    const codes = (await Promise.all(waits)).map((ended) => ended.state === 'exited' && ended.exitCode);
    expect(codes).toEqual(specs.map((_, n) => n));
  });
});
