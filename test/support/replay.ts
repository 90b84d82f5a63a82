/** Histories against today's workflow code. */
import type { DataConverter } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { fromSetup } from './from-setup';

/** The bundle of the sources as they are now. */
export const workflowBundle = () => ({ codePath: fromSetup('MUSTER_TEST_WORKFLOW_BUNDLE') });

/** Replays them; answers those that do not replay, in words. */
export async function unreplayable(
  histories: Parameters<typeof Worker.runReplayHistories>[1],
  dataConverter: DataConverter,
): Promise<string[]> {
  const failed: string[] = [];
  const replays = Worker.runReplayHistories({ workflowBundle: workflowBundle(), dataConverter }, histories);
  for await (const { workflowId, error } of replays)
    if (error) failed.push(`${workflowId}: ${error.message}`);
  return failed;
}
