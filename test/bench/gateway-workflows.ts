/** Workflows that give sites work, to measure what lies between. */
import { proxyActivities } from '@temporalio/workflow';

export const GATEWAY_QUEUE = 'gateway-bench';

export interface GatewayActivities {
  /** Done by a worker as sites run it. */
  small(at: number): Promise<number>;
  /** Taken by hand, and kept. */
  held(): Promise<void>;
}

const activitiesOf = (taskQueue: string) =>
  proxyActivities<GatewayActivities>({ taskQueue, startToCloseTimeout: '1h', retry: { maximumAttempts: 1 } });

/** Gives the queue `count` small activities, so many at a time. */
export async function ManySmall(queue: string, count: number, atOnce: number): Promise<void> {
  const { small } = activitiesOf(queue);
  let next = 0;
  const one = async () => {
    while (next < count) await small(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

export async function OneHeld(queue: string): Promise<void> {
  await activitiesOf(queue).held();
}
