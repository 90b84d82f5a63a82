/** The floor's side: its workers as parts of the same stack, and its runs started straight at Temporal. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode } from '@temporalio/worker';
import { freePort } from '../../dev/ports';
import { logs } from '../../dev/readiness';
import type { Stack } from '../../dev/stack';
import { CENTRAL_NODE, type Parameters } from '../../workflows/contract';
import { FLOOR_QUEUE, floorSiteQueue, type FloorProgram, type FloorRun } from './floor-contract';
import { endNode, readLog } from './floor-nodes';
import { FloorRunWorkflow } from './floor-workflows';
import type { BenchSite, Side } from './side';
import { lastStart } from './started';

export class FloorSide implements Side {
  private started = 0;

  private constructor(
    private readonly stack: Stack,
    private readonly program: FloorProgram,
    private readonly sites: readonly BenchSite[],
    private readonly parameters: Parameters,
    private readonly temporal: Client,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts the central worker. */
  static async open(
    stack: Stack,
    program: FloorProgram,
    sites: readonly BenchSite[],
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<FloorSide> {
    const { address, namespace } = stack.temporal;
    const temporal = new Client({ connection: await Connection.connect({ address }), namespace });
    const side = new FloorSide(stack, program, sites, parameters, temporal, signal);
    const bundle = join(side.folder, 'bundle.js');
    await mkdir(side.folder, { recursive: true });
    const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('./floor-workflows') });
    await writeFile(bundle, code);
    await side.startWorker(CENTRAL_NODE, FLOOR_QUEUE, bundle);
    return side;
  }

  async startSites(count: number): Promise<void> {
    const more = this.sites.slice(this.started, count);
    await Promise.all(more.map(({ id }) => this.startWorker(id, floorSiteQueue(id))));
    this.started = Math.max(this.started, count);
  }

  async bringUp(count: number): Promise<number> {
    const sites = this.sites.slice(0, count);
    const run = await this.newRun(sites);
    const began = Date.now();
    const handle = await this.temporal.workflow.start(FloorRunWorkflow, {
      workflowId: `floor-${randomUUID()}`,
      taskQueue: FLOOR_QUEUE,
      args: [run],
    });
    try {
      const up = await lastStart(
        sites.map(
          ({ id }) =>
            () =>
              readLog(run.folder, id),
        ),
        this.signal,
      );
      return (up - began) / 1000;
    } finally {
      await Promise.all(
        [CENTRAL_NODE, ...sites.map(({ id }) => id)].map((node) => endNode(run.folder, node)),
      );
      if (!this.signal.aborted) await handle.result();
    }
  }

  private get folder(): string {
    return join(this.stack.paths.root, 'floor');
  }

  private async newRun(sites: readonly BenchSite[]): Promise<FloorRun> {
    const { program, parameters } = this;
    const folder = join(this.folder, randomUUID());
    await mkdir(folder);
    return { folder, program, parameters, sites, port: await freePort(['127.0.0.1']) };
  }

  private async startWorker(name: string, queue: string, ...args: string[]): Promise<void> {
    const { paths, temporal } = this.stack;
    const part = `floor-worker:${name}`;
    await this.stack.startPart(
      {
        name: part,
        command: [process.execPath, join(__dirname, 'floor-worker.js'), name, ...args],
        env: { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace },
        address: queue,
        logFile: paths.log(part),
        ready: logs('ready'),
      },
      this.signal,
    );
  }
}
