/** stopNode: a confirmed stop. It answers when nothing of the node runs, and nothing of the launch starts any more. */
import { toMilliseconds, type StopNodeInput, type StoppedNode } from '../../workflows/contract';
import type { NodeHost } from './host';

export function createStopNode(host: NodeHost) {
  return async function stopNode({ grace, ...ref }: StopNodeInput): Promise<StoppedNode> {
    await host.folders.markStopped(ref);
    const { runtime } = await host.folders.readRecord(ref);
    // Without a record nothing was ever started here, and the mark keeps it so.
    if (runtime === undefined) return { wasRunning: false, forced: false };
    return host.runtimes[runtime].stop(ref, toMilliseconds(grace));
  };
}
