/** A run of the NVFlare computation in containers, without an orchestrator: what the image does of its own accord. */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import getPort from 'get-port';
import { parse } from 'yaml';
import type { ExitedNode, NodeRuntime, NodeSpec } from '../../nodes/node-runtime';

import { Computation } from '../../workflows/contract';
import { never } from '../nodes/support';

export const FOLDER = join(__dirname, '../../computations/nvflare-average');
export const manifest = Computation.parse(parse(readFileSync(join(FOLDER, 'computation.yaml'), 'utf8')));
export const SITES = ['a', 'b', 'c'];

type Command = keyof Computation['commands'];

export class AverageRun {
  readonly #runId = `test-${randomBytes(5).toString('hex')}`;
  #port = 0;
  readonly #specs = new Map<string, NodeSpec>();

  constructor(
    private readonly runtime: NodeRuntime,
    private readonly image: string,
    private readonly folder: string,
  ) {}

  /** Provisions the sites; the exit code and what was printed. `change` is made to a proper input. */
  async provision(parameters: object, change: object = {}): Promise<{ exitCode: number; output: string }> {
    const folder = this.#made('provisioning');
    const port = await getPort();
    const input = {
      users: SITES.map((id) => ({ id, name: `Site ${id}` })),
      computation_parameters: JSON.stringify(parameters),
      fed_learn_port: port,
      host_identifier: 'host.docker.internal',
      ...change,
    };
    writeFileSync(join(folder, 'provision_input.json'), JSON.stringify(input));
    const spec = this.#spec('provision', 'provision', { provision: folder });
    await this.runtime.ensure(spec);
    const { exitCode = -1 } = await this.#end(spec);
    const output = await this.runtime.logs(spec, 10);
    await this.runtime.remove(spec);
    this.#port = port;
    return { exitCode, output };
  }
  /** The kits that were made. */
  kits(): string[] {
    const folder = join(this.folder, 'provisioning/runKits');
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }

  /** Starts central, with a pristine copy of its kit unless `kit` names a folder that it has used before. */
  async startCentral(kit?: string): Promise<void> {
    await this.#start('central', 'central', { kit: kit ?? this.#copyOfKit('centralNode') }, [this.#port]);
  }

  /** Starts sites, with their example data unless `data` has other lines for them. */
  async startEdges(sites = SITES, data: Record<string, string> = {}): Promise<void> {
    await Promise.all(sites.map((site) => this.#startEdge(site, data[site])));
  }

  async #startEdge(site: string, lines: string | undefined): Promise<void> {
    const folder = lines === undefined ? join(FOLDER, 'data', site) : this.#made(`data-${site}`);
    if (lines !== undefined) writeFileSync(join(folder, 'values.csv'), lines);
    await this.#start(site, 'edge', { kit: this.#copyOfKit(site), data: folder }, []);
  }

  /** Waits for nodes to end; their exit codes. */
  async exitCodes(...nodes: string[]): Promise<(number | undefined)[]> {
    const ended = await Promise.all(nodes.map((node) => this.#end(this.spec(node))));
    return ended.map(({ exitCode }) => exitCode);
  }

  async isRunning(node: string): Promise<boolean> {
    return (await this.runtime.inspect(this.spec(node))).state === 'running';
  }

  stop(node: string, graceMs: number): Promise<{ wasRunning: boolean; forced: boolean }> {
    return this.runtime.stop(this.spec(node), graceMs);
  }

  log(node: string, lines = 10_000): Promise<string> {
    return this.runtime.logs(this.spec(node), lines);
  }

  /** A file that a node left in its output folder, if it did. */
  left(node: string, name: string): unknown {
    const file = join(this.spec(node).folders.output ?? '', name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  }
  result = (node: string): unknown => this.left(node, 'global_mean.json');
  marker = (node: string): unknown => this.left(node, '.neuroflame_error.json');

  /** Where a node that was started has its kit, used as it is by now. */
  usedKit(node: string): string {
    return this.spec(node).folders.kit ?? '';
  }

  async containerId(node: string): Promise<string> {
    const condition = await this.runtime.inspect(this.spec(node));
    if (condition.state === 'absent') throw new Error(`${node} is gone`);
    return condition.id;
  }

  spec(node: string): NodeSpec {
    const spec = this.#specs.get(node);
    if (spec === undefined) throw new Error(`${node} was never started`);
    return spec;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#specs.values()].map((spec) => this.runtime.remove(spec)));
  }

  async #start(node: string, command: Command, folders: NodeSpec['folders'], ports: number[]): Promise<void> {
    const spec = this.#spec(node, command, { ...folders, output: this.#made(`output-${node}`) }, ports);
    this.#specs.set(node, spec);
    await this.runtime.ensure(spec);
  }

  #spec(node: string, command: Command, folders: NodeSpec['folders'], ports: number[] = []): NodeSpec {
    const { commands, resources } = manifest;
    return {
      runId: this.#runId,
      // Every start is a launch of its own, which takes the place of an earlier one.
      launchId: randomBytes(6).toString('hex'),
      node,
      command: commands[command],
      image: this.image,
      folders,
      ports,
      env: {},
      resources,
    };
  }

  async #end(spec: NodeSpec): Promise<ExitedNode> {
    const ended = await this.runtime.wait(spec, never);
    if (ended.state === 'absent') throw new Error(`${spec.node} is gone`);
    return ended;
  }

  #copyOfKit(name: string): string {
    const copy = join(this.#made('kits'), `${name}-${randomBytes(4).toString('hex')}`);
    cpSync(join(this.folder, 'provisioning/runKits', name), copy, { recursive: true });
    return copy;
  }

  #made(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}
