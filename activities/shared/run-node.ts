/** Brings a launch's node up on this host, once. */
import type { NodeSpec, RuntimeKind } from '../../nodes';
import type { LaunchedNode, NodeComputation, NodeRef } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { NodeHost } from './host';
import { capped, meansFor, type HostPolicy } from './policy';

/** What differs between the nodes of a run. */
export interface NodePlan {
  command: readonly string[];
  folders: NodeSpec['folders'];
  ports: readonly number[];
}

/**
 * Starts the node unless it is there already. A launch that was stopped stays stopped, however late its start arrives:
 * the mark is looked at before and after, so that a stop and a start at the same moment end with nothing running.
 */
export async function runNode(
  host: NodeHost,
  ref: NodeRef,
  computation: NodeComputation,
  policy: HostPolicy,
  plan: NodePlan,
): Promise<LaunchedNode> {
  const { folders } = host;
  const means = await meansFor(computation, policy, (kind) => host.chooseRuntime(kind));
  await refuseIfStopped(host, ref);
  await folders.addToRecord(ref, { runtime: means.runtime });
  const runtime = host.runtimes[means.runtime];
  const node = await runtime.ensure({
    ...ref,
    ...plan,
    ...(means.runtime === 'docker' ? { image: means.image } : { folder: means.folder }),
    env: await musterEnvironment(host, ref, means.runtime),
    resources: capped(computation.resources, policy.resources),
  });
  if (await folders.isStopped(ref)) {
    await runtime.stop(ref, 0);
    await refuseIfStopped(host, ref);
  }
  const startedAt = node.state === 'running' ? node.startedAt : node.endedAt;
  return { runtime: means.runtime, containerId: node.id, startedAt };
}

async function refuseIfStopped(host: NodeHost, ref: NodeRef): Promise<void> {
  if (await host.folders.isStopped(ref))
    throw failure('NodeLost', `launch ${ref.launchId} was stopped before ${ref.node} started`);
}

/** What a node may know of its run, and how it may report on itself. */
async function musterEnvironment(
  host: NodeHost,
  ref: NodeRef,
  runtime: RuntimeKind,
): Promise<Record<string, string>> {
  const { reportPath, reportToken } = await host.folders.readRecord(ref);
  return {
    MUSTER_RUN_ID: ref.runId,
    MUSTER_LAUNCH_ID: ref.launchId,
    MUSTER_NODE: ref.node,
    ...(reportPath !== undefined && {
      MUSTER_REPORT_URL: host.nodeApiUrl[runtime].replace(/\/+$/, '') + reportPath,
    }),
    ...(reportToken !== undefined && { MUSTER_REPORT_TOKEN: reportToken }),
  };
}
