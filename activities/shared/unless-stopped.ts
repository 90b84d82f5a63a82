/** What a stop means for a start: a launch that was stopped, or released, stays down however late a start arrives. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { NodeRef } from '../../workflows/contract';
import type { LaunchFolders } from './launch-folders';

/**
 * Does a step of a launch unless the launch was stopped. The mark is looked at before and after, so that a stop and a
 * step at the same moment end with nothing running and nothing kept: what was done meanwhile is undone.
 * @param undo what is to be undone besides the launch's folder
 */
export async function unlessStopped<T>(
  folders: LaunchFolders,
  ref: NodeRef,
  step: () => Promise<T>,
  undo?: () => Promise<unknown>,
): Promise<T> {
  if (await folders.isStopped(ref)) throw stopped(ref);
  const [outcome] = await Promise.allSettled([step()]);
  if (await folders.isStopped(ref)) {
    await undo?.();
    await folders.clear(ref);
    throw stopped(ref);
  }
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** A stop that was asked for is no error: it is neither reported nor logged as one. */
function stopped({ launchId, node }: NodeRef): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NodeLost',
    message: `launch ${launchId} was stopped before ${node} started`,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  });
}
