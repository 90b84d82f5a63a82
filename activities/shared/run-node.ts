/** Brings a launch's node up on this host, once. */
import type { NodeRuntime, NodeSpec, RuntimeKind } from '../../nodes';
import type { LaunchRef, LaunchedNode, NodeComputation, NodeRef } from '../../workflows/contract';
import type { NodeHost } from './host';
import { capped, meansFor, type HostPolicy, type Means } from './policy';
import { unlessStopped } from './unless-stopped';

/** What differs between the nodes of a run. */
export interface NodePlan {
  command: readonly string[];
  folders: NodeSpec['folders'];
  ports: readonly number[];
  /** All that its container may reach, if it reports to `reportUrl`. Absent: what its network lets it reach. */
  reach?: (reportUrl: string | undefined) => NodeSpec['reach'];
}

/**
 * Starts the node unless it was started already: then it is left as it is, whatever the policy says by now.
 * @throws ApplicationFailure when the launch was stopped before
 */
export async function runNode(
  host: NodeHost,
  ref: NodeRef,
  computation: NodeComputation,
  policy: HostPolicy,
  plan: NodePlan,
): Promise<LaunchedNode> {
  return (await startedNode(host, ref)) ?? (await start(host, ref, computation, policy, plan));
}

/** This launch's node, if it was ever started here. */
export async function startedNode(host: NodeHost, ref: NodeRef): Promise<LaunchedNode | undefined> {
  const { runtime } = await host.folders.readRecord(ref);
  if (runtime === undefined) return undefined;
  const node = await host.runtimes[runtime].inspect(ref);
  return node.state === 'absent' ? undefined : launched(runtime, node);
}

/** How a computation runs in this launch. What `auto` meant first stays, should an engine come or go meanwhile. */
export async function launchMeans(
  host: NodeHost,
  ref: LaunchRef,
  computation: NodeComputation,
  policy: HostPolicy,
): Promise<Means> {
  const { runtime } = await host.folders.readRecord(ref);
  return meansFor(computation, policy, {
    choose: async (kind) => (kind === 'auto' && runtime !== undefined ? runtime : host.chooseRuntime(kind)),
    images: host.images,
  });
}

async function start(
  host: NodeHost,
  ref: NodeRef,
  computation: NodeComputation,
  policy: HostPolicy,
  plan: NodePlan,
): Promise<LaunchedNode> {
  const { runtime, ...place } = await launchMeans(host, ref, computation, policy);
  const node = host.runtimes[runtime];
  const bringUp = async () => {
    await host.folders.addToRecord(ref, { runtime });
    const env = await musterEnvironment(host, ref, runtime);
    const { reach: mayReach, ...rest } = plan;
    const reach = runtime === 'docker' ? mayReach?.(env.MUSTER_REPORT_URL) : undefined;
    return node.ensure({
      ...ref,
      ...rest,
      ...place,
      env,
      ...(reach && { reach }),
      resources: capped(computation.resources, policy.resources),
      ...(policy.containers && { containers: policy.containers }),
    });
  };
  return launched(runtime, await unlessStopped(host.folders, ref, bringUp, () => node.remove(ref)));
}

function launched(runtime: RuntimeKind, node: Awaited<ReturnType<NodeRuntime['ensure']>>): LaunchedNode {
  return { runtime, containerId: node.id, startedAt: node.startedAt };
}

/** What a node may know of its run, and how it may report on itself. */
async function musterEnvironment(
  host: NodeHost,
  ref: NodeRef,
  runtime: RuntimeKind,
): Promise<Record<string, string>> {
  const { reportPath, reportToken } = await host.folders.readRecord(ref);
  const apiUrl = host.nodeApiUrl[runtime]?.replace(/\/+$/, '');
  return {
    MUSTER_RUN_ID: ref.runId,
    MUSTER_LAUNCH_ID: ref.launchId,
    MUSTER_NODE: ref.node,
    ...(apiUrl !== undefined && reportPath !== undefined && { MUSTER_REPORT_URL: apiUrl + reportPath }),
    ...(apiUrl !== undefined && reportToken !== undefined && { MUSTER_REPORT_TOKEN: reportToken }),
  };
}
