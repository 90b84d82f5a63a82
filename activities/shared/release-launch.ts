/** releaseLaunch: removes what a launch holds on this host. Results stay. */
import type { LaunchRef } from '../../workflows/contract';
import type { NodeHost } from './host';
import type { NodeLogs } from './node-logs';

/**
 * @param nodes the nodes that a launch can have on this host
 * @param more what else the host holds for a launch
 */
export function createReleaseLaunch(
  { folders, runtimes }: Pick<NodeHost, 'folders' | 'runtimes'>,
  logs: Pick<NodeLogs, 'settled'>,
  nodes: readonly string[],
  more?: (ref: LaunchRef) => Promise<void>,
) {
  return async function releaseLaunch(ref: LaunchRef): Promise<void> {
    // A start that is still under way finds the mark, which stays, and takes back what it did.
    await folders.markStopped(ref);
    const { runtime } = await folders.readRecord(ref);
    if (runtime !== undefined) {
      for (const node of nodes) {
        const { state } = await runtimes[runtime].inspect({ ...ref, node });
        // Its last words are still being read.
        if (state === 'exited') await logs.settled({ ...ref, node });
        await runtimes[runtime].remove({ ...ref, node });
      }
    }
    // What else there is to remove may be known by the folder.
    await more?.(ref);
    await folders.clear(ref);
  };
}
