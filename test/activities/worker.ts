/** A worker without a server: activities are done one by one, each in a context of its own and by the rules of a real worker. */
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivityRules, type ActivityRules } from '../../activities/shared/interceptor';

type Activities<A> = { [K in keyof A]: (input: never) => Promise<unknown> };
type Input<A, K extends keyof A> = A[K] extends (input: infer I) => unknown ? I : never;
type Output<A, K extends keyof A> = A[K] extends (...args: never[]) => Promise<infer O> ? O : never;
type CancelReason = Parameters<MockActivityEnvironment['cancel']>[0];

/** An activity under way. */
export interface Attempt<T> {
  done: Promise<T>;
  /** As the server, or a worker's shutdown, interrupts it. */
  interrupt(reason: CancelReason): void;
  heartbeats(): number;
}

const quiet = new DefaultLogger('ERROR', () => undefined);

export class TestWorker<A extends Activities<A>> {
  private readonly rules: ReturnType<typeof createActivityRules>;

  constructor(
    readonly activities: A,
    rules: ActivityRules,
  ) {
    this.rules = createActivityRules(rules);
  }

  /** Does one activity to its end. */
  do<K extends keyof A & string>(
    name: K,
    input: Input<A, K>,
    info: Partial<Info> = {},
  ): Promise<Output<A, K>> {
    return this.begin(name, input, info).done;
  }

  /** Begins an activity. A failure is the caller's to see, by `done`. */
  begin<K extends keyof A & string>(
    name: K,
    input: Input<A, K>,
    info: Partial<Info> = {},
  ): Attempt<Output<A, K>> {
    const environment = new MockActivityEnvironment(
      { activityType: name, ...info },
      { interceptors: [this.rules], logger: quiet },
    );
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    type Activity = (input: unknown) => Promise<Output<A, K>>;
    const activity = this.activities[name] as unknown as Activity;
    const done = environment.run<[unknown], Output<A, K>, Activity>(activity, input);
    done.catch(() => undefined);
    return { done, interrupt: (reason) => environment.cancel(reason), heartbeats: () => beats };
  }
}
