/** Whether a central worker is there, as Temporal knows it: the API itself speaks with none. */
import type { Client } from '@temporalio/client';
import { CENTRAL_QUEUE } from '../../workflows/contract';

/** An idle worker asks for work at least this often. */
const POLL_MS = 90_000;

export async function hasCentralWorker(client: Client): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: CENTRAL_QUEUE },
  });
  const isThere = (seconds: number) => seconds * 1000 > Date.now() - POLL_MS;
  return pollers.some(({ lastAccessTime }) => isThere(Number(lastAccessTime?.seconds ?? 0)));
}
