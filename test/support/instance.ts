/** An instance as its people meet it: the local stack without any site, and sites that join it from folders of their own. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { EntryPoint } from '../workers/entry-point';
import { MusterProcess } from './try';

const run = promisify(execFile);
const CLI = join(__dirname, '../../dist/cli/main.js');

/** What `muster ...args` printed. */
export async function muster(...args: string[]): Promise<string> {
  return (await run(process.execPath, [CLI, ...args])).stdout;
}

/** The manifest of a computation that runs as processes: no machine has to have its image. */
async function withoutImage(file: string): Promise<string> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.delete('image');
  return document.toString();
}

/** A stack that is up, and its central worker may run the computation in `folder` as processes. */
export class Instance {
  private constructor(
    readonly stack: MusterProcess,
    /** Signs an admin in. */
    readonly adminLink: string,
  ) {}

  static async open(computation: { name: string; folder: string }): Promise<Instance> {
    const stack = await MusterProcess.start(['dev']);
    try {
      const [, link = ''] = await stack.says(/(http:\S+#token=\S+)/);
      const allowed = { computations: [{ ...computation, runtime: 'process' }] };
      await writeFile(join(stack.state, 'computations.yaml'), JSON.stringify(allowed));
      const manifest = join(stack.state, 'as-processes.yaml');
      await writeFile(manifest, await withoutImage(join(computation.folder, 'computation.yaml')));
      await muster('computation', 'add', manifest, '--state', stack.state);
      return new Instance(stack, link);
    } catch (error) {
      await stack.end();
      throw error;
    }
  }

  get url(): string {
    return new URL(this.adminLink).origin;
  }
}

/** A hospital's machine: one folder, one edge worker. */
export class SiteMachine {
  private worker: EntryPoint | undefined;

  constructor(
    readonly id: string,
    private readonly folder: string,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  /** Becomes the site, by the code and the address that came with it. */
  async join(address: string, code: string): Promise<void> {
    await muster('site', 'join', address, code, '--dir', this.folder);
  }

  /** Changes site.yaml, which counts at once. */
  async allow(rules: Record<string, unknown>): Promise<void> {
    const document = parseDocument(await readFile(this.file, 'utf8'));
    for (const [key, value] of Object.entries(rules)) document.set(key, document.createNode(value));
    writeFileSync(this.file, document.toString());
  }

  /** Starts the edge worker; it is there when this resolves. */
  async start(): Promise<void> {
    const state = join(this.folder, 'state');
    this.worker = new EntryPoint('edge', ['--config', this.file], {
      MUSTER_STATE_DIR: state,
      MUSTER_RESULTS_DIR: join(this.folder, 'results'),
    });
    await this.worker.says('ready');
  }

  async stop(): Promise<void> {
    await this.worker?.end('SIGTERM');
  }

  private get file(): string {
    return join(this.folder, 'site.yaml');
  }
}
