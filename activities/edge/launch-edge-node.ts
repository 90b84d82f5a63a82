/** launchEdgeNode: brings the site's node up once, on the site's own data. */
import type { LaunchEdgeInput, LaunchedNode } from '../../workflows/contract';
import { runNode } from '../shared/run-node';
import type { EdgeHost } from './edge-host';
import { dataFolder } from './site-data';

export function createLaunchEdgeNode(host: EdgeHost) {
  return async function launchEdgeNode({
    site,
    computation,
    ...launch
  }: LaunchEdgeInput): Promise<LaunchedNode> {
    const policy = await host.policy();
    return runNode(host, { ...launch, node: site.id }, computation, policy, {
      command: computation.commands.edge,
      folders: {
        kit: host.folders.kit(launch),
        data: await dataFolder(site, policy),
        output: await host.folders.openOutput(launch),
      },
      ports: [],
    });
  };
}
