/** Muster's side: runs of a consortium, started through the central API as a person does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tryConsortium } from '../../cli/arguments';
import { computationBody } from '../../cli/computation-body';
import type { Means } from '../../cli/try-means';
import { startSites, writePolicies } from '../../cli/try-sites';
import { createMusterApi, type MusterApi } from '../../client';
import { runningParts } from '../../dev/roster';
import type { Stack } from '../../dev/stack';
import { createNodeRuntimes } from '../../nodes';
import { TERMINAL_RUN_STATES, type Parameters } from '../../workflows/contract';
import { residentBytes } from './memory';
import type { BenchSite, Side } from './side';
import { lastStart } from './started';

const FIRST_LINES = 50;
const LOOK_EVERY_MS = 100;

export class MusterSide implements Side {
  private started = 0;

  private constructor(
    private readonly stack: Stack,
    private readonly means: Means,
    private readonly sites: readonly BenchSite[],
    private readonly parameters: Parameters,
    private readonly api: MusterApi,
    private readonly signal: AbortSignal,
    private readonly startWorkers: typeof startSites,
  ) {}

  static async open(
    stack: Stack,
    means: Means,
    sites: readonly BenchSite[],
    parameters: Parameters,
    signal: AbortSignal,
    startWorkers = startSites,
  ): Promise<MusterSide> {
    await stack.allowComputation(means.allowed);
    const token = await stack.mint({ role: 'admin', sub: 'bench' });
    const api = createMusterApi({ url: stack.api.url, token });
    return new MusterSide(stack, means, sites, parameters, api, signal, startWorkers);
  }

  async startSites(count: number): Promise<void> {
    const more = this.sites.slice(this.started, count);
    await writePolicies(this.stack, more, [this.means.allowed]);
    await this.startWorkers(this.stack, more, this.signal);
    this.started = Math.max(this.started, count);
  }

  async bringUp(count: number): Promise<number> {
    const { signal, api } = this;
    const sites = this.sites.slice(0, count);
    const { id, body } = tryConsortium(this.means.computation, sites, this.parameters);
    await api.addComputation({
      body: computationBody(this.means.computation),
      query: { replace: 'true' },
      signal,
    });
    await api.putConsortium({ path: { consortiumId: id }, body, signal });
    const began = Date.now();
    const { runId } = await api.startRun({ path: { consortiumId: id }, signal });
    try {
      const up = await lastStart(
        sites.map((site) => () => this.logOf(runId, site.id)),
        signal,
      );
      return (up - began) / 1000;
    } finally {
      // Also when the bench is interrupted: the stack is stopped next, and must find no node running.
      await this.end(runId);
    }
  }

  /** Resident bytes of each edge worker. */
  async edgeWorkerMemory(): Promise<number[]> {
    const parts = await runningParts(this.stack.paths);
    const workers = parts.filter(({ name }) => name.startsWith('edge-worker:'));
    return Promise.all(workers.map(({ pid }) => residentBytes(pid)));
  }

  private async logOf(runId: string, site: string): Promise<string> {
    const { process } = createNodeRuntimes({ stateDir: this.stack.paths.site(site) });
    const node = (await process.list()).find((ref) => ref.runId === runId && ref.node === site);
    return node === undefined ? '' : process.logs(node, FIRST_LINES);
  }

  private async end(runId: string): Promise<void> {
    await this.api.stopRun({ path: { runId }, body: { reason: 'measured' } });
    while (!TERMINAL_RUN_STATES.includes((await this.api.getRun({ path: { runId } })).run.state))
      await sleep(LOOK_EVERY_MS);
  }
}
