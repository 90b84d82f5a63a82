/** Histories against today's workflow code. */
import type { DataConverter } from '@temporalio/common';
import type { HistoryAndWorkflowId } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { z } from 'zod';
import { fromSetup } from './from-setup';

/** The bundle of the sources as they are now. */
export const workflowBundle = () => ({ codePath: fromSetup('MUSTER_TEST_WORKFLOW_BUNDLE') });

type Histories = Parameters<typeof Worker.runReplayHistories>[1];

/** Replays them; answers those that do not replay, in words. */
export async function unreplayable(histories: Histories, dataConverter: DataConverter): Promise<string[]> {
  const failed: string[] = [];
  for (const apart of await withoutDoubles(histories)) {
    const replays = Worker.runReplayHistories({ workflowBundle: workflowBundle(), dataConverter }, apart);
    for await (const { workflowId, error } of replays)
      if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  return failed;
}

const Begin = z.object({
  events: z
    .tuple([
      z.object({ workflowExecutionStartedEventAttributes: z.object({ originalExecutionRunId: z.string() }) }),
    ])
    .rest(z.unknown()),
});

/**
 * A replaying worker knows an execution by the id of the one that it was reset from, and all resets of a run have the same.
 * While it lets go of the one, the next of that id may get lost, and is waited for in vain: so each is in another list.
 */
async function withoutDoubles(histories: Histories): Promise<HistoryAndWorkflowId[][]> {
  const lists: HistoryAndWorkflowId[][] = [];
  const seen = new Map<string, number>();
  for await (const each of histories) {
    const [{ workflowExecutionStartedEventAttributes: started }] = Begin.parse(each.history).events;
    const nth = seen.get(started.originalExecutionRunId) ?? 0;
    seen.set(started.originalExecutionRunId, nth + 1);
    (lists[nth] ??= []).push(each);
  }
  return lists;
}
