/** Runs that are held, one in each phase of a run's life, so that a fault meets them all at once; and their release. */
import { once } from 'node:events';
import { access, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { LaunchFolders } from '../../activities/shared/launch-folders';
import { createPortLedger } from '../../nodes';
import { CENTRAL_NODE } from '../../workflows/contract';
import type { TcpProxy } from '../support/tcp-proxy';
import { release, type HeldParameters } from './computation';
import { FollowedRun, type EndedRun } from './followed-run';
import { outputsOf } from './run-checks';
import type { FaultStack } from './stack';
import { patiently, until } from './waiting';

/** `joining` is `launching` at a site: the run goes on, and one site is not up yet. */
export const PHASES = [
  'provisioning',
  'publishing',
  'launching',
  'joining',
  'running',
  'collecting',
  'stopping',
] as const;
export type Phase = (typeof PHASES)[number];

/** Enough to be stuck on its way to the object store. */
const LONG_BYTES = 3 * 2 ** 20;
const STUCK_AFTER_BYTES = 2 ** 19;
const READY_MS = 90_000;

export interface Holding {
  stack: FaultStack;
  /** Between the central worker and the object store. */
  toStore: TcpProxy;
  /** The consortium whose data is everywhere, and the one whose data is not at the last site yet. */
  consortia: { usual: string; late: string };
  /** Where the data is missing. */
  lateFolder: string;
}

export class HeldRuns {
  private readonly runs = new Map<Phase, FollowedRun>();
  private taken: Server | undefined;

  private constructor(
    private readonly holding: Holding,
    private readonly key: string,
  ) {}

  /** Resolves when there is a run in each phase, and stays there; `key` is one that was not used before. */
  static async hold(holding: Holding, key: string): Promise<HeldRuns> {
    const held = new HeldRuns(holding, key);
    try {
      const [collecting] = await Promise.all([
        held.runUp('collecting'),
        held.runUp('running'),
        held.holdLaunching(),
        held.holdJoining(),
        held.holdStopping(),
      ]);
      // What follows gets stuck on its way to the object store, and nothing else may be on that way then.
      holding.toStore.holdLong(STUCK_AFTER_BYTES);
      await held.holdCollecting(collecting);
      await Promise.all([held.holdPublishing(), held.holdProvisioning()]);
      return held;
    } catch (error) {
      await held.leave();
      throw error;
    }
  }

  /** Lets every run go on. */
  async release(): Promise<void> {
    this.holding.toStore.letGo();
    this.taken?.close();
    await mkdir(this.holding.lateFolder, { recursive: true });
    for (const run of this.runs.values()) run.release();
  }

  /** Every run once it has ended. */
  async ended(withinMs: number): Promise<[Phase, EndedRun][]> {
    const ends = [...this.runs].map(async ([phase, run]): Promise<[Phase, EndedRun]> => [
      phase,
      await run.ended(withinMs),
    ]);
    return Promise.all(ends);
  }

  /** Nobody looks after the runs any more. */
  async leave(): Promise<void> {
    this.holding.toStore.letGo();
    this.taken?.close();
    await rm(this.holding.lateFolder, { recursive: true, force: true });
    for (const run of this.runs.values()) await run.leave();
  }

  private async start(
    phase: Phase,
    parameters: Omit<HeldParameters, 'payloadBytes'> = {},
    consortium = this.holding.consortia.usual,
  ): Promise<FollowedRun> {
    const { stack } = this.holding;
    const all = { ...parameters, payloadBytes: LONG_BYTES };
    const run = await FollowedRun.start(stack, consortium, all, `${this.key}-${phase}`);
    this.runs.set(phase, run);
    return run;
  }

  private async runUp(phase: Phase, parameters: Omit<HeldParameters, 'payloadBytes'> = {}) {
    const run = await this.start(phase, parameters);
    await run.up();
    return run;
  }

  /** Its nodes were told to stop, and do not. */
  private async holdStopping(): Promise<void> {
    const { runId } = await this.runUp('stopping', { deaf: true });
    await until('every node is deaf', READY_MS, () => this.everyNodeHas(runId, 'starts'));
    await patiently(() =>
      this.holding.stack.api.stopRun({ path: { runId }, body: { reason: 'held in stopping' } }),
    );
    await until('every node was told to stop', READY_MS, () => this.everyNodeHas(runId, 'told-to-stop'));
  }

  /** All of its nodes are done, and its results are stuck on their way. */
  private async holdCollecting(run: FollowedRun): Promise<void> {
    run.release();
    await run.until('all nodes are done', ({ nodes }) => nodes.every(({ state }) => state === 'complete'));
    await this.moreIsStuckThan(0);
  }

  private async holdPublishing(): Promise<void> {
    const { stuck } = this.holding.toStore;
    const run = await this.start('publishing');
    await run.until('publishing', ({ run: { state } }) => state === 'publishing');
    await this.moreIsStuckThan(stuck);
  }

  private async holdProvisioning(): Promise<void> {
    const run = await this.start('provisioning', { holdProvision: true });
    await this.provisionFolder(run);
  }

  /** Its central port is taken by somebody else, so that its central node waits. */
  private async holdLaunching(): Promise<void> {
    const run = await this.start('launching', { holdProvision: true });
    const folder = await this.provisionFolder(run);
    const file = join(this.holding.stack.paths.central, 'ports.json');
    const ledger = createPortLedger({ file, range: { first: 1, last: 1 } });
    const own = (await ledger.list()).filter(({ runId }) => runId === run.runId);
    const [port] = own.flatMap(({ ports }) => ports);
    this.taken = createServer().listen(port);
    await once(this.taken, 'listening');
    await release(folder);
    await run.until(
      'the central node waits for its port',
      ({ run: { state }, errors }) =>
        state === 'launching' && errors.some(({ type }) => type === 'NodeNotStarted'),
    );
  }

  /** At its last site the data is not there yet. */
  private async holdJoining(): Promise<void> {
    const { stack, consortia } = this.holding;
    const run = await this.start('joining', {}, consortia.late);
    await run.until('only the last site waits', ({ nodes, errors }) => {
      const others = nodes.filter(({ node }) => node !== stack.sites.at(-1));
      return (
        others.every(({ state }) => state === 'running') && errors.some(({ type }) => type === 'DataMissing')
      );
    });
  }

  private moreIsStuckThan(number: number): Promise<true> {
    return until('more is stuck', READY_MS, () => this.holding.toStore.stuck > number || undefined);
  }

  /** The folder of the provisioning node, once that is at work. */
  private async provisionFolder(run: FollowedRun): Promise<string> {
    const launches = new LaunchFolders(this.holding.stack.paths.central, '');
    const { run: view } = await run.until('a launch', ({ run: { launchId } }) => launchId !== undefined);
    const folder = launches.provision({ runId: run.runId, launchId: view.launchId ?? '' });
    await until('provisioning', READY_MS, () => isThere(join(folder, 'starts')));
    return folder;
  }

  private async everyNodeHas(runId: string, file: string): Promise<true | undefined> {
    const { stack } = this.holding;
    const outputs = [CENTRAL_NODE, ...stack.sites].map((node) => outputsOf(stack, runId, node));
    const found = (await Promise.all(outputs)).map(([folder = '']) => isThere(join(folder, file)));
    return (await Promise.all(found)).every((there) => there === true) || undefined;
  }
}

const isThere = (path: string) =>
  access(path).then(
    () => true as const,
    () => undefined,
  );
