/** stopNode: a confirmed stop. It answers when nothing of the node runs, and nothing of the launch starts any more. */
import { toMilliseconds, type StopNodeInput, type StoppedNode } from '../../workflows/contract';
import type { NodeHost } from './host';

export function createStopNode({ folders, runtimes }: Pick<NodeHost, 'folders' | 'runtimes'>) {
  return async function stopNode({ grace, ...ref }: StopNodeInput): Promise<StoppedNode> {
    await folders.markStopped(ref);
    const { runtime, stoppedRunning = false } = await folders.readRecord(ref);
    // Without a runtime nothing was ever started here, and the mark keeps it so.
    if (runtime === undefined) return { wasRunning: false, forced: false };
    const { state } = await runtimes[runtime].inspect(ref);
    // Written down first: a repeat after a crash finds the node stopped, and must not say that it was so before.
    if (state === 'running') await folders.addToRecord(ref, { stoppedRunning: true });
    const { wasRunning, forced } = await runtimes[runtime].stop(ref, toMilliseconds(grace));
    return { wasRunning: wasRunning || stoppedRunning, forced };
  };
}
