/** Runs the penguins' programs as plain processes, the way the process runtime does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import getPort from 'get-port';

export const PENGUINS = join(__dirname, '../../computations/penguins');
export const ISLANDS = ['biscoe', 'dream', 'torgersen'] as const;

/** Bundles the programs as `npm run build` does, so that the tests run without it. */
export async function buildPenguins(outdir: string): Promise<void> {
  const entryPoints = ['provision', 'central', 'edge'].map((command) => join(PENGUINS, `src/${command}.ts`));
  await build({ entryPoints, outdir, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
}

export class Program {
  #output = '';
  readonly #child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;

  constructor(file: string, env: Record<string, string>) {
    this.#child = spawn(process.execPath, [file], { env: { ...process.env, ...env } });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when the program has said this; rejects when it ended without. */
  async said(words: string | RegExp): Promise<void> {
    const has = () => (typeof words === 'string' ? this.#output.includes(words) : words.test(this.#output));
    const spoken = new Promise<boolean>((resolve) => {
      const check = () => (has() ? resolve(true) : undefined);
      this.#child.stdout?.on('data', check);
      this.#child.stderr?.on('data', check);
      check();
    });
    const inTime = await Promise.race([spoken, this.ended.then(has)]);
    if (!inTime) throw new Error(`It never said ${String(words)}:\n${this.#output}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** A run's folders and programs; `stop()` ends whatever still runs. */
export class Run {
  readonly #programs: Program[] = [];

  private constructor(
    private readonly dist: string,
    readonly folder: string,
    readonly port: number,
  ) {}

  /** Provisions a run; `change` may alter the provision input. */
  static async provision(
    dist: string,
    folder: string,
    parameters: object = {},
    change: object = {},
  ): Promise<{ run: Run; code: number | null; output: string }> {
    const port = await getPort({ host: '127.0.0.1' });
    mkdirSync(folder, { recursive: true });
    const input = {
      users: ISLANDS.map((id) => ({ id, name: `Island ${id}` })),
      computation_parameters: JSON.stringify(parameters),
      fed_learn_port: port,
      host_identifier: '127.0.0.1',
      ...change,
    };
    writeFileSync(join(folder, 'provision_input.json'), JSON.stringify(input));
    const run = new Run(dist, folder, port);
    const program = run.#start('provision', { PROVISION_DIR: folder });
    return { run, code: await program.ended, output: program.output };
  }

  /** A node's pristine kit. */
  kit(node: string): string {
    return join(this.folder, 'runKits', node);
  }
  output(node: string): string {
    return join(this.folder, 'output', node);
  }
  result(node: string, name: string): unknown {
    return JSON.parse(readFileSync(join(this.output(node), name), 'utf8'));
  }

  central(env: Record<string, string> = {}): Program {
    return this.#start('central', {
      RUN_KIT_DIR: this.kit('centralNode'),
      OUTPUT_DIR: this.output('central'),
      ...env,
    });
  }

  edge(site: string, env: Record<string, string> = {}): Program {
    const data = join(PENGUINS, 'data', site);
    return this.#start('edge', {
      RUN_KIT_DIR: this.kit(site),
      DATA_DIR: data,
      OUTPUT_DIR: this.output(site),
      ...env,
    });
  }

  /** A copy of a node's kit in which some files are replaced. */
  kitWith(node: string, files: Record<string, string>): string {
    const copy = join(this.folder, `kit-${node}-${Object.keys(files).join('-')}`);
    cpSync(this.kit(node), copy, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(copy, name), content);
    return copy;
  }

  async stop(): Promise<void> {
    for (const program of this.#programs) program.signal('SIGKILL');
    await Promise.all(this.#programs.map((program) => program.ended));
  }

  #start(command: string, env: Record<string, string>): Program {
    const program = new Program(join(this.dist, `${command}.js`), env);
    this.#programs.push(program);
    return program;
  }
}
