/** Reading a node's name back from where it was written down: labels of a container, the name of a folder. */
import { z } from 'zod';
import { LaunchId, NodeName, RunId, type NodeRef } from '../workflows/contract';

const NodeRefSchema = z.object({ runId: RunId, launchId: LaunchId, node: NodeName });

/** The node that is named, unless it is none of ours. */
export function readNodeRef(
  written: Partial<Record<keyof NodeRef, string | undefined>>,
): NodeRef | undefined {
  return NodeRefSchema.safeParse(written).data;
}
