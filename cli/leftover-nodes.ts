/** Ends what a run that was not waited for left on this machine. Its workers are gone by then, so nobody else will. */
import { createNodeRuntimes } from '../nodes';
import type { RuntimeKind } from '../nodes/node-runtime';

/** Removes every node of the run that workers with these state folders hold. */
export async function removeNodes(
  runId: string,
  runtime: RuntimeKind,
  stateDirs: readonly string[],
): Promise<void> {
  for (const stateDir of stateDirs) {
    const nodes = createNodeRuntimes({ stateDir })[runtime];
    const left = (await nodes.list()).filter((ref) => ref.runId === runId);
    await Promise.all(left.map((ref) => nodes.remove(ref)));
  }
}
