/** releaseLaunch: removes what a launch holds on this host. Results stay. */
import type { LaunchRef } from '../../workflows/contract';
import type { NodeHost } from './host';

/**
 * @param nodes the nodes that a launch can have on this host
 * @param more what else the host holds for a launch
 */
export function createReleaseLaunch(
  host: NodeHost,
  nodes: readonly string[],
  more?: (ref: LaunchRef) => Promise<void>,
) {
  return async function releaseLaunch(ref: LaunchRef): Promise<void> {
    const { runtime } = await host.folders.readRecord(ref);
    if (runtime !== undefined) {
      for (const node of nodes) await host.runtimes[runtime].remove({ ...ref, node });
    }
    await host.folders.remove(ref);
    await more?.(ref);
  };
}
