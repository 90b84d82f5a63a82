/** What every node runtime must do, whatever it runs nodes as. */
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogPiece, NodeRuntime, NodeSpec } from '../../nodes/node-runtime';
import { Bench, give, left, never, output, startFromWorkerThatDies } from './support';
import { until } from '../support/until';

export interface Subject {
  /** A runtime as a freshly started worker has it. */
  open(bench: Bench): NodeRuntime;
  /** What the nodes of the tests run in. */
  place(): Pick<NodeSpec, 'image' | 'folder'>;
  /** The same, of something that is not there. */
  nowhere: Pick<NodeSpec, 'image' | 'folder'>;
  /** What is left of a node to see on the host, by other means than the runtime's. */
  remains(id: string): Promise<string[]>;
}

const STAY = 'setInterval(() => {}, 1000);';
const SAY = (name: string) => `fs.writeFileSync(process.env.OUTPUT_DIR + '/${name}', 'yes');`;
const DEAF = `process.on('SIGTERM', () => {}); ${STAY} ${SAY('up')}`;
const WHEN_TOLD = (then: string) =>
  `setInterval(() => { if (fs.existsSync(process.env.RUN_KIT_DIR + '/go')) { ${then} } }, 10);`;

export function itRunsNodes(subject: Subject): void {
  let bench: Bench;
  let runtime: NodeRuntime;
  beforeEach(async () => {
    bench = await Bench.open(subject.place());
    runtime = subject.open(bench);
  });
  afterEach(() => bench.close(runtime));

  describe('starting', () => {
    test('a node is started once, though two workers ask for it five times each at the same moment', async () => {
      const spec = await bench.node(`fs.appendFileSync(process.env.OUTPUT_DIR + '/starts', 'x'); ${STAY}`);
      const other = subject.open(bench);
      const nodes = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? runtime : other).ensure(spec)),
      );
      expect(new Set(nodes.map(({ id }) => id)).size).toBe(1);
      expect(nodes[0]).toEqual({
        state: 'running',
        id: nodes[0]!.id,
        startedAt: expect.any(Number) as number,
      });
      await left(spec, 'starts');
      await runtime.stop(spec, 0);
      expect(await output(spec, 'starts')).toBe('x');
    });

    test('a node that has ended is not started again', async () => {
      const spec = await bench.node(
        `fs.appendFileSync(process.env.OUTPUT_DIR + '/starts', 'x'); process.exit(4)`,
      );
      const { id } = await runtime.ensure(spec);
      await runtime.wait(spec, never);
      expect(await subject.open(bench).ensure(spec)).toMatchObject({ state: 'exited', id, exitCode: 4 });
      expect(await output(spec, 'starts')).toBe('x');
    });

    test('a node reads its kit and data, writes its output, and sees the environment that was asked for', async () => {
      const spec = await bench.node(
        `const { DATA_DIR, OUTPUT_DIR, PARAMETERS_FILE_PATH, MUSTER_RUN_ID } = process.env;
         const read = (path) => fs.readFileSync(path, 'utf8');
         fs.writeFileSync(OUTPUT_DIR + '/seen', [read(DATA_DIR + '/rows.csv'), read(PARAMETERS_FILE_PATH), MUSTER_RUN_ID].join());`,
        { env: { MUSTER_RUN_ID: bench.runId } },
      );
      await writeFile(join(spec.folders.data!, 'rows.csv'), 'a;b');
      await writeFile(join(spec.folders.kit!, 'parameters.json'), '{}');
      await chmod(spec.folders.kit!, 0o700);
      await runtime.ensure(spec);
      expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
      expect(await output(spec, 'seen')).toBe(`a;b,{},${bench.runId}`);
      expect((await stat(join(spec.folders.output!, 'seen'))).uid).toBe(process.getuid!());
    });

    test('a program that is not there ends the node with code 127, and its log names it', async () => {
      const spec = await bench.node('', { command: ['no-such-program', '--now'] });
      await runtime.ensure(spec);
      expect(await runtime.wait(spec, never)).toMatchObject({ state: 'exited', exitCode: 127 });
      expect(await runtime.logs(spec, 10)).toContain('no-such-program');
    });

    test('what a computation runs from may be missing for now, and nothing is left of the attempt', async () => {
      const spec = await bench.node('', subject.nowhere);
      await expect(runtime.ensure(spec)).rejects.toMatchObject({ type: 'ImageMissing', nonRetryable: false });
      expect(await own(runtime, bench)).toEqual([]);
    });

    test('a new launch of a run replaces the node of the old one', async () => {
      const old = await bench.node(DEAF);
      const { id } = await runtime.ensure(old);
      await left(old, 'up');
      const fresh = { ...old, launchId: 'freshlaunch1' };
      expect(await runtime.ensure(fresh)).toMatchObject({ state: 'running' });
      expect(await subject.remains(id)).toEqual([]);
      expect(await runtime.inspect(old)).toEqual({ state: 'absent' });
    });

    test('orders for an old launch do not touch the node of the new one', async () => {
      const spec = await bench.node(STAY);
      const old = { ...spec, launchId: 'stalelaunch1' };
      const { id } = await runtime.ensure(spec);
      expect(await runtime.stop(old, 0)).toEqual({ wasRunning: false, forced: false });
      await runtime.remove(old);
      expect(await runtime.logs(old, 10)).toBe('');
      expect(await runtime.wait(old, never)).toEqual({ state: 'absent' });
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'running', id });
    });
  });

  describe('watching', () => {
    test.each([
      ['exits with 0', '', 0],
      ['exits with 3', 'process.exit(3)', 3],
      ['throws', 'throw new Error("no")', 1],
      ['kills itself', `process.kill(process.pid, 'SIGKILL'); ${STAY}`, 137],
    ])('a node that %s is known by its exit code', async (_, script, exitCode) => {
      const spec = await bench.node(script);
      const { id, startedAt } = await runtime.ensure(spec);
      const before = Date.now() - 60_000;
      const ended = await runtime.wait(spec, never);
      expect(ended).toEqual({
        state: 'exited',
        id,
        exitCode,
        // Also once it has ended, it began when it did.
        startedAt,
        endedAt: expect.any(Number) as number,
        outOfMemory: false,
      });
      expect(ended.state === 'exited' && ended.endedAt > before && ended.endedAt <= Date.now() + 1000).toBe(
        true,
      );
      expect(await runtime.inspect(spec)).toEqual(ended);
    });

    test('a node outlives the worker that started it, and the next worker learns its exit code', async () => {
      const spec = await bench.node(WHEN_TOLD('process.exit(7)'));
      const id = await startFromWorkerThatDies(runtime.kind, bench, spec);
      expect(await runtime.ensure(spec)).toMatchObject({ state: 'running', id });
      const ended = runtime.wait(spec, never);
      await give(spec, 'go');
      expect(await ended).toMatchObject({ state: 'exited', id, exitCode: 7 });
    });

    test('an exit while no worker was there is found by the next one', async () => {
      const spec = await bench.node(`${SAY('done')} process.exit(5)`);
      const id = await startFromWorkerThatDies(runtime.kind, bench, spec);
      await left(spec, 'done');
      expect(await runtime.wait(spec, never)).toMatchObject({ state: 'exited', id, exitCode: 5 });
    });

    test('waiting ends when it is aborted, and the node goes on', async () => {
      const spec = await bench.node(STAY);
      await runtime.ensure(spec);
      const abort = new AbortController();
      const waiting = runtime.wait(spec, abort.signal);
      abort.abort(new Error('the worker shuts down'));
      await expect(waiting).rejects.toThrow('the worker shuts down');
      await expect(runtime.wait(spec, abort.signal)).rejects.toThrow('the worker shuts down');
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'running' });
    });

    test('waiting for a node that never ran ends at once', async () => {
      expect(await runtime.wait(await bench.node(''), never)).toEqual({ state: 'absent' });
    });

    test('waiting ends when the node is removed', async () => {
      const spec = await bench.node(STAY);
      await runtime.ensure(spec);
      const waiting = runtime.wait(spec, never);
      await subject.open(bench).remove(spec);
      expect(['exited', 'absent']).toContain((await waiting).state);
    });

    test('of the log as many lines are given as are asked for, from its end', async () => {
      const spec = await bench.node(
        `for (let n = 1; n <= 300; n++) fs.writeSync(1, 'line ' + n + ' ä\\n'); fs.writeSync(1, 'the end');`,
      );
      await runtime.ensure(spec);
      await runtime.wait(spec, never);
      await until(async () => (await runtime.logs(spec, 1)) === 'the end');
      expect(await runtime.logs(spec, 3)).toBe('line 299 ä\nline 300 ä\nthe end');
      expect((await runtime.logs(spec, 1000)).split('\n')).toHaveLength(301);
      expect(await runtime.logs(spec, 0)).toBe('');
    });

    test('the log holds what the node said on both streams', async () => {
      const spec = await bench.node(`console.log('to stdout'); console.error('to stderr');`);
      await runtime.ensure(spec);
      await runtime.wait(spec, never);
      const lines = await until(async () => {
        const log = (await runtime.logs(spec, 10)).trim().split('\n');
        return log.length === 2 ? log : undefined;
      });
      expect(lines.toSorted()).toEqual(['to stderr', 'to stdout']);
    });

    test('all nodes of the host are listed, running or not', async () => {
      const stays = await bench.node(STAY, { node: 'dream' });
      const ends = await bench.node('', { node: 'torgersen' });
      await Promise.all([runtime.ensure(stays), runtime.ensure(ends)]);
      await runtime.wait(ends, never);
      const { runId, launchId } = bench;
      expect((await own(subject.open(bench), bench)).toSorted((a, b) => (a.node < b.node ? -1 : 1))).toEqual([
        { runId, launchId, node: 'dream' },
        { runId, launchId, node: 'torgersen' },
      ]);
    });
  });

  describe('following the log', () => {
    const SAY_MORE = WHEN_TOLD(`fs.writeSync(1, 'and more'); process.exit(0);`);

    test('what was said is read at once, what is said later as it comes, and the end is known', async () => {
      const spec = await bench.node(`console.log('first ä'); console.error('second'); ${SAY_MORE}`);
      await runtime.ensure(spec);
      let said = '';
      for await (const { bytes } of runtime.follow(spec, undefined, never)) {
        said += bytes.toString();
        if (said.includes('first ä\n') && said.includes('second\n')) await give(spec, 'go');
      }
      expect(said.split('\n').toSorted()).toEqual(['and more', 'first ä', 'second']);
    });

    test('following goes on where another left off, without a gap and without a repeat', async () => {
      const spec = await bench.node(
        `for (let n = 1; n <= 300; n++) fs.writeSync(1, n + ' ' + 'x'.repeat(n % 7 ? 60 : 40000) + '\\n'); ${SAY_MORE}`,
      );
      await runtime.ensure(spec);
      await give(spec, 'go');
      let said = '';
      let cursor: string | undefined;
      for (let whole = false; !whole;) {
        let pieces = 0;
        for await (const piece of subject.open(bench).follow(spec, cursor, never)) {
          said += piece.bytes.toString();
          cursor = piece.cursor;
          if ((pieces += 1) === 3) break;
        }
        whole = pieces === 0;
      }
      const lines = Array.from({ length: 300 }, (_, n) => `${n + 1} ${'x'.repeat((n + 1) % 7 ? 60 : 40000)}`);
      expect(said === [...lines, 'and more'].join('\n')).toBe(true);
    });

    test('a node that ended long ago can still be read', async () => {
      const spec = await bench.node(`console.log('the only line')`);
      await runtime.ensure(spec);
      await runtime.wait(spec, never);
      expect(await allOf(runtime.follow(spec, undefined, never))).toBe('the only line\n');
    });

    test('it ends when the node is removed, and at once for a node that never ran or of another launch', async () => {
      const spec = await bench.node(`console.log('here'); ${STAY}`);
      expect(await allOf(runtime.follow(spec, undefined, never))).toBe('');
      await runtime.ensure(spec);
      const other = { ...spec, launchId: 'stalelaunch1' };
      expect(await allOf(runtime.follow(other, undefined, never))).toBe('');
      let said = '';
      for await (const { bytes } of runtime.follow(spec, undefined, never)) {
        said += bytes.toString();
        if (said === 'here\n') await subject.open(bench).remove(spec);
      }
      expect(said).toMatch(/^here\n/);
    });

    test('it ends when it is aborted, and the node goes on', async () => {
      const spec = await bench.node(`console.log('here'); ${STAY}`);
      await runtime.ensure(spec);
      const abort = new AbortController();
      const following = (async () => {
        for await (const piece of runtime.follow(spec, undefined, abort.signal))
          abort.abort(new Error(`enough after ${piece.bytes.toString().trim()}`));
      })();
      await expect(following).rejects.toThrow('enough after here');
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'running' });
    });
  });

  describe('stopping', () => {
    test('a node that heeds SIGTERM has time to end by itself', async () => {
      const spec = await bench.node(
        `process.on('SIGTERM', () => setTimeout(() => { ${SAY('bye')} process.exit(0); }, 50)); ${STAY} ${SAY('up')}`,
      );
      const { id } = await runtime.ensure(spec);
      await left(spec, 'up');
      expect(await runtime.stop(spec, 30_000)).toEqual({ wasRunning: true, forced: false });
      expect(await output(spec, 'bye')).toBe('yes');
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'exited', exitCode: 0 });
      expect(await subject.remains(id)).toEqual([]);
    });

    test('a node that ignores SIGTERM is killed after the grace period, with all its processes', async () => {
      const child = `process.on('SIGTERM', () => {}); ${STAY} require('fs').writeFileSync(process.env.OUTPUT_DIR + '/up', '')`;
      const spec = await bench.node(
        `process.on('SIGTERM', () => {});
         require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }); ${STAY}`,
      );
      const { id } = await runtime.ensure(spec);
      await left(spec, 'up');
      expect(await runtime.stop(spec, 300)).toEqual({ wasRunning: true, forced: true });
      expect(await subject.remains(id)).toEqual([]);
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    test('stopping again, or stopping what never ran, is no error and finds nothing to stop', async () => {
      const spec = await bench.node(STAY);
      expect(await runtime.stop(spec, 0)).toEqual({ wasRunning: false, forced: false });
      await runtime.ensure(spec);
      expect(await runtime.stop(spec, 0)).toMatchObject({ wasRunning: true });
      expect(await subject.open(bench).stop(spec, 60_000)).toEqual({ wasRunning: false, forced: false });
    });

    test('a stop without grace is not held up by one that is patient', async () => {
      const spec = await bench.node(DEAF);
      const { id } = await runtime.ensure(spec);
      await left(spec, 'up');
      const patient = runtime.stop(spec, 3_600_000);
      expect(await subject.open(bench).stop(spec, 0)).toEqual({ wasRunning: true, forced: true });
      expect(await patient).toEqual({ wasRunning: true, forced: false });
      expect(await subject.remains(id)).toEqual([]);
    });

    test('what a node leaves running ends with it', async () => {
      const spec = await bench.node(
        `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(STAY)}], { stdio: 'inherit' }).unref();`,
      );
      const { id } = await runtime.ensure(spec);
      expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
      await until(async () => (await subject.remains(id)).length === 0);
    });

    test('a removed node is stopped and forgotten, also when it is removed twice', async () => {
      const spec = await bench.node(DEAF);
      const { id } = await runtime.ensure(spec);
      await left(spec, 'up');
      await Promise.all([runtime.remove(spec), subject.open(bench).remove(spec)]);
      await runtime.remove(spec);
      expect(await subject.remains(id)).toEqual([]);
      expect(await runtime.inspect(spec)).toEqual({ state: 'absent' });
      expect(await own(runtime, bench)).toEqual([]);
      expect(await runtime.logs(spec, 10)).toBe('');
    });
  });
}

async function allOf(log: AsyncIterable<LogPiece>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { bytes } of log) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
}

async function own(runtime: NodeRuntime, bench: Bench) {
  return (await runtime.list()).filter(({ runId }) => runId === bench.runId);
}
