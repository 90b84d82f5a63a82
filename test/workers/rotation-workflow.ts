/** A workflow that gives a site one piece of work after the other. */
import { proxyActivities } from '@temporalio/workflow';

export async function steadyWork(taskQueue: string, count: number): Promise<number[]> {
  const { step } = proxyActivities<{ step(at: number): Promise<number> }>({
    taskQueue,
    startToCloseTimeout: '1m',
    retry: { maximumAttempts: 1 },
  });
  const done: number[] = [];
  for (let at = 0; at < count; at += 1) done.push(await step(at));
  return done;
}
