/**
 * Reports the run to the central API: one report at a time, each with the run and the nodes that changed since the one
 * before, so that a burst of changes is one report and a thousand sites stay a short history.
 */
import { condition, log, patched, proxyActivities } from '@temporalio/workflow';
import { reporting } from './activity-options';
import { now } from './clock';
import type { CentralActivities } from './contract';
import type { RunModel } from './run-state';

/** A person sees no difference, and twenty sites that come up in one second cost four reports instead of twenty. */
const SPACING = '250ms';

export class Reporter {
  private readonly changedNodes = new Set<string>();
  private pending = true;
  private closing = false;
  private seq = 0;

  constructor(private readonly model: () => RunModel) {
    for (const node of model().nodes.keys()) this.changedNodes.add(node);
  }

  /** Notes what differs between two models; nodes that did not change are the same objects in both. */
  changed(before: RunModel, after: RunModel): void {
    this.pending = true;
    for (const [name, node] of after.nodes) if (before.nodes.get(name) !== node) this.changedNodes.add(name);
  }

  /** Ends {@link run} once everything has been reported. */
  close(): void {
    this.closing = true;
  }

  /** Reports until closed. */
  async run(): Promise<void> {
    for (;;) {
      await condition(() => this.pending || this.closing);
      if (!this.pending) return;
      await this.report();
      // Runs of before reported without a pause, and their histories hold no such timers.
      if (patched('spaced-reports')) await condition(() => this.closing, SPACING);
    }
  }

  private async report(): Promise<void> {
    const { run, nodes } = this.model();
    const changed = [...nodes.values()].filter(({ node }) => this.changedNodes.has(node));
    this.changedNodes.clear();
    this.pending = false;
    this.seq += 1;
    const { reportStatusCentral } = proxyActivities<CentralActivities>({
      ...reporting,
      summary: `${run.state}; ${changed.map(({ node, state }) => `${node} ${state}`).join(', ')}`.slice(
        0,
        200,
      ),
    });
    try {
      await reportStatusCentral({ at: now(), seq: this.seq, run, nodes: changed });
    } catch (error) {
      // Refused for good. The run goes on all the same: what it does matters more than who hears of it.
      log.error('report refused by the central API', { error: String(error) });
    }
  }
}
