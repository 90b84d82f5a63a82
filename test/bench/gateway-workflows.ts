/** Workflows that give sites work, to measure what lies between. */
import { proxyActivities } from '@temporalio/workflow';

export const GATEWAY_QUEUE = 'gateway-bench';

export interface GatewayActivities {
  /** Done by a worker as sites run it. */
  small(at: number): Promise<number>;
  /** Taken by hand, and kept. */
  held(): Promise<void>;
}

/** Gives the queue `count` small activities, so many at a time. */
export async function ManySmall(queue: string, count: number, atOnce: number): Promise<void> {
  // A task that is lost on its way, on a machine with too much to do, is given out again.
  const { small } = proxyActivities<GatewayActivities>({ taskQueue: queue, startToCloseTimeout: '10s' });
  let next = 0;
  const one = async () => {
    while (next < count) await small(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

export async function OneHeld(queue: string): Promise<void> {
  const { held } = proxyActivities<GatewayActivities>({ taskQueue: queue, startToCloseTimeout: '1h' });
  await held();
}
