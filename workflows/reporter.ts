/**
 * Reports the run to the central API: one report at a time, each with the run as it is and what it and its nodes went
 * through since the one before, so that a burst of changes is one report and a thousand sites stay a short history.
 */
import { condition, log, patched, proxyActivities } from '@temporalio/workflow';
import { reporting } from './activity-options';
import { now } from './clock';
import type { CentralActivities, NodeView, RunState, RunView } from './contract';
import type { RunModel } from './run-state';

/**
 * A person sees no difference, and twenty sites that come up in one second cost few reports instead of twenty. Temporal's
 * timers can be late by a second, so that this is short.
 */
const SPACING = '100ms';

/** A report stays far below what Temporal and the API take in. */
const MAX_VIEWS = 1000;

export class Reporter {
  /** What is not reported yet of each node: every state that it came into. */
  private news = new Map<string, NodeView[]>();
  /** States of the run that came and went since the last report. */
  private passed: RunView[] = [];
  private toldState: RunState | undefined;
  private pending = true;
  private closing = false;
  private busy = false;

  /** @param seq number of the last report that was made of this run; without one, everything is news */
  constructor(
    private readonly model: () => RunModel,
    private seq = 0,
  ) {
    if (seq === 0) for (const node of model().nodes.values()) this.note(node);
    else this.toldState = model().run.state;
  }

  /** Number of the last report. */
  get last(): number {
    return this.seq;
  }

  /** Whether everything has been reported. */
  isUpToDate(): boolean {
    return !this.pending && !this.busy;
  }

  /** Notes what differs between two models; nodes that did not change are the same objects in both. */
  changed(before: RunModel, after: RunModel): void {
    this.pending = true;
    const { state } = before.run;
    if (state !== after.run.state && state !== this.toldState) this.passed.push(before.run);
    for (const [name, node] of after.nodes) if (before.nodes.get(name) !== node) this.note(node);
  }

  /** Of a state only the last view counts. */
  private note(node: NodeView): void {
    const views = this.news.get(node.node) ?? [];
    const last = views.at(-1);
    if (last?.state === node.state && last.retry?.launchId === node.retry?.launchId) views.pop();
    this.news.set(node.node, [...views, node]);
  }

  /** What is reported next, in the order in which it happened. */
  private take(): NodeView[] {
    const views = [...this.news.values()].flat().sort((a, b) => a.since - b.since);
    this.news = new Map();
    for (const later of views.slice(MAX_VIEWS)) this.note(later);
    return views.slice(0, MAX_VIEWS);
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
      this.busy = true;
      await this.report();
      this.busy = false;
      // Runs of before reported without a pause, and their histories hold no such timers.
      if (patched('spaced-reports')) await condition(() => this.closing, SPACING);
    }
  }

  private async report(): Promise<void> {
    const { run } = this.model();
    const nodes = this.take();
    const passed = this.passed.splice(0);
    this.toldState = run.state;
    this.pending = this.news.size > 0;
    this.seq += 1;
    const { reportStatusCentral } = proxyActivities<CentralActivities>({
      ...reporting,
      summary: `${run.state}; ${nodes.map(({ node, state }) => `${node} ${state}`).join(', ')}`.slice(0, 200),
    });
    try {
      await reportStatusCentral({
        at: now(),
        seq: this.seq,
        run,
        nodes,
        ...(passed.length > 0 && { passed }),
      });
    } catch (error) {
      // Refused for good. The run goes on all the same: what it does matters more than who hears of it.
      log.error('report refused by the central API', { error: String(error) });
    }
  }
}
