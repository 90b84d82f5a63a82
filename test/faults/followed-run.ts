/** A run of the held computation, and somebody who follows it from its begin through whatever happens. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LaunchFolders } from '../../activities/shared/launch-folders';
import { followRun, type FollowedEvent } from '../../client';
import type { RunDetail } from '../../workflows/api-contract';
import { CENTRAL_NODE } from '../../workflows/contract';
import { release, type HeldParameters } from './computation';
import { isOver, outputsOf } from './run-checks';
import type { FaultStack } from './stack';
import { patiently, until } from './waiting';

const READY_MS = 90_000;
const LOOK_EVERY_MS = 100;

/** How a run ended, and everything that was told of it to who followed it. */
export interface EndedRun {
  detail: RunDetail;
  followed: readonly FollowedEvent[];
}

export class FollowedRun {
  private readonly events: FollowedEvent[] = [];
  private readonly leaving = new AbortController();
  private releasing: Promise<void> | undefined;

  private constructor(
    private readonly stack: FaultStack,
    readonly runId: string,
  ) {
    void this.follow();
  }

  static async start(
    stack: FaultStack,
    consortium: string,
    parameters: HeldParameters,
    key: string,
  ): Promise<FollowedRun> {
    const { runId } = await patiently(() =>
      stack.api.startRun({
        path: { consortiumId: consortium },
        body: { parameters },
        headers: { 'idempotency-key': key },
      }),
    );
    return new FollowedRun(stack, runId);
  }

  picture = (): Promise<RunDetail> => patiently(() => this.stack.api.getRun({ path: { runId: this.runId } }));

  /** The first picture of the run for which `want` holds. */
  until(what: string, want: (detail: RunDetail) => boolean, withinMs = READY_MS): Promise<RunDetail> {
    return until(`${what} (${this.runId})`, withinMs, async () => {
      const detail = await this.picture();
      return want(detail) ? detail : undefined;
    });
  }

  up = () => this.until('all nodes run', ({ nodes }) => nodes.every(({ state }) => state === 'running'));

  async ended(withinMs: number): Promise<EndedRun> {
    const detail = await this.until('the end', isOver, withinMs);
    const hasHeard = () => (this.events.at(-1)?.id ?? 0) >= detail.lastEventId || undefined;
    // What was not heard is told by who compares.
    await until('the last event', READY_MS, hasHeard).catch(() => undefined);
    return { detail, followed: [...this.events] };
  }

  /** Lets its nodes go on: those that are there, and those that are yet to come. */
  release(): void {
    this.releasing ??= this.keepReleasing();
  }

  /** Nobody looks after the run any more. */
  async leave(): Promise<void> {
    this.leaving.abort();
    await this.releasing;
  }

  private async follow(): Promise<void> {
    const { signal } = this.leaving;
    for await (const event of followRun(this.stack.api, this.runId, { signal })) this.events.push(event);
  }

  private async keepReleasing(): Promise<void> {
    const { stack, runId } = this;
    const { signal } = this.leaving;
    const launches = new LaunchFolders(stack.paths.central, '');
    while (!signal.aborted) {
      const outputs = [CENTRAL_NODE, ...stack.sites].map((node) => outputsOf(stack, runId, node));
      const kept = (await launches.list()).filter(({ ref }) => ref.runId === runId);
      const folders = [
        ...(await Promise.all(outputs)).flat(),
        ...kept.map(({ ref }) => launches.provision(ref)),
      ];
      // One that is not there yet, or no more, has nobody in it to be released.
      for (const folder of folders) await release(folder).catch(() => undefined);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
