/** What the tests of both runtimes need: nodes that run a piece of JavaScript, and workers that can be killed. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { NodeRuntime, NodeSpec, RuntimeKind } from '../../nodes/node-runtime';
import { until } from '../support/until';

const randomId = (length: number) => randomBytes(length).toString('hex').slice(0, length);

/** A run of its own for each test, with folders for its nodes. */
export class Bench {
  readonly runId = `test-${randomId(10)}`;
  readonly launchId = randomId(12);

  private constructor(
    readonly root: string,
    private readonly place: Pick<NodeSpec, 'image' | 'folder'>,
  ) {}

  static async open(place: Pick<NodeSpec, 'image' | 'folder'>): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'muster-nodes-')), place);
  }

  get stateDir(): string {
    return join(this.root, 'state');
  }

  /** A node that runs `script`, with kit, data and output folders of its own. */
  async node(script: string, changes: Partial<NodeSpec> = {}): Promise<NodeSpec> {
    const node = changes.node ?? 'biscoe';
    const folder = (name: string) => join(this.root, node, name);
    const folders = { kit: folder('kit'), data: folder('data'), output: folder('output') };
    for (const path of Object.values(folders)) await mkdir(path, { recursive: true });
    return {
      runId: this.runId,
      launchId: this.launchId,
      node,
      command: ['node', '-e', script],
      ...this.place,
      folders,
      ports: [],
      env: {},
      resources: { cpus: 1, memory: '256Mi', pids: 64, shm: '64Mi', gpus: 0 },
      ...changes,
    };
  }

  async close(runtime: NodeRuntime): Promise<void> {
    const own = (await runtime.list()).filter(({ runId }) => runId === this.runId);
    await Promise.all(own.map((ref) => runtime.remove(ref)));
    await rm(this.root, { recursive: true, force: true });
  }
}

export const output = (spec: NodeSpec, name: string): Promise<string> =>
  readFile(join(spec.folders.output!, name), 'utf8');

/** Resolves once the node has left a file of this name in its output folder. */
export const left = (spec: NodeSpec, name: string): Promise<string> =>
  until(() => output(spec, name).catch(() => undefined));

/** Puts a file where the node is looking for it. */
export const give = (spec: NodeSpec, name: string): Promise<void> =>
  writeFile(join(spec.folders.kit!, name), '');

/** A signal that nothing aborts. */
export const never = new AbortController().signal;
setMaxListeners(0, never);

let starter: Promise<string> | undefined;

/** Has another process bring a node up, and kills it (`kill -9`) as soon as it has. Answers with the node's id. */
export async function startFromWorkerThatDies(
  kind: RuntimeKind,
  bench: Bench,
  spec: NodeSpec,
): Promise<string> {
  starter ??= bundled('starter.ts');
  const order = JSON.stringify({ kind, stateDir: bench.stateDir, spec });
  const worker = spawn(process.execPath, ['-', order], { stdio: ['pipe', 'pipe', 'inherit'] });
  worker.stdin.end(await starter);
  const exited = once(worker, 'exit').then(() => []);
  const [id] = (await Promise.race([once(createInterface(worker.stdout), 'line'), exited])) as string[];
  worker.kill('SIGKILL');
  await exited;
  if (id === undefined) throw new Error('The worker that should have started a node ended before it did.');
  return id;
}

/** A program of the tests as one script, so that it runs outside jest without being compiled first. */
export async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve('test/nodes', program)],
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    write: false,
  });
  return outputFiles[0]!.text;
}
