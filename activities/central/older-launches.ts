/** A run that is retried gets a new launch. Of the older ones everything is gone from this host before that begins. */
import {
  CENTRAL_NODE,
  PROVISION_NODE,
  type HostActivities,
  type LaunchRef,
  type NodeComputation,
} from '../../workflows/contract';
import type { CentralHost } from './central-host';

/** As the run itself would have asked for it. */
export type Ending = Pick<HostActivities, 'stopNode' | 'releaseLaunch'>;

/** Stops and removes what older launches of the run hold here. Their results stay. */
export async function endOlderLaunches(
  { folders }: Pick<CentralHost, 'folders'>,
  { stopNode, releaseLaunch }: Ending,
  { runId, launchId, computation }: LaunchRef & { computation: Pick<NodeComputation, 'deadlines'> },
): Promise<void> {
  const grace = computation.deadlines.stopGrace;
  for (const { ref, onlyMarkedSince } of await folders.list()) {
    if (ref.runId !== runId || ref.launchId === launchId || onlyMarkedSince !== undefined) continue;
    // Marks the launch too: a start of it that is still under way takes back what it did.
    await Promise.all([CENTRAL_NODE, PROVISION_NODE].map((node) => stopNode({ ...ref, node, grace })));
    await releaseLaunch(ref);
  }
}
