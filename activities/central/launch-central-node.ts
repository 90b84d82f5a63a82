/** launchCentralNode: this host gets the central node's kit like any site gets its own, and brings the node up once. */
import { Context } from '@temporalio/activity';
import { CENTRAL_NODE, type LaunchCentralInput, type LaunchedNode } from '../../workflows/contract';
import { fetchOwnKit } from '../shared/own-kit';
import { runNode } from '../shared/run-node';
import type { CentralHost } from './central-host';

export function createLaunchCentralNode(host: CentralHost) {
  return async function launchCentralNode({
    computation,
    kit,
    ports,
    ...launch
  }: LaunchCentralInput): Promise<LaunchedNode> {
    const ref = { ...launch, node: CENTRAL_NODE };
    await fetchOwnKit(host, ref, kit, Context.current().cancellationSignal);
    return runNode(host, ref, computation, await host.policy(), {
      command: computation.commands.central,
      folders: { kit: host.folders.kit(launch), output: await host.folders.openOutput(launch) },
      ports,
    });
  };
}
