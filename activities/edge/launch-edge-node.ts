/** launchEdgeNode: brings the site's node up once, on the site's own data. */
import type { LaunchEdgeInput, LaunchedNode } from '../../workflows/contract';
import { runNode, startedNode } from '../shared/run-node';
import { unlessStopped } from '../shared/unless-stopped';
import { admit } from './admission';
import type { EdgeHost } from './edge-host';
import { reachOf } from './reach';
import { mustBeAsSigned } from './signed-launch';
import { dataFolder } from './site-data';

export function createLaunchEdgeNode(host: EdgeHost) {
  return async function launchEdgeNode(input: LaunchEdgeInput): Promise<LaunchedNode> {
    const { site, computation, endpoint, consortium: _ofTheRun, ...launch } = input;
    const ref = { ...launch, node: site.id };
    const started = await startedNode(host, ref);
    if (started !== undefined) return started;
    // Of a launch that was stopped nothing is here, what was signed neither.
    await unlessStopped(host.folders, ref, async () =>
      mustBeAsSigned(input, (await host.folders.readRecord(ref)).signed),
    );
    const policy = await host.policy();
    // Asked once more: the site may have changed its mind, and this may be another computation than the kit was fetched for.
    await admit(host, policy, input);
    return runNode(host, ref, computation, policy, {
      command: computation.commands.edge,
      folders: {
        kit: host.folders.kit(launch),
        data: await dataFolder(site, policy),
        output: await host.folders.openOutput(launch),
      },
      ports: [],
      reach: (reportUrl) => reachOf(policy, endpoint, reportUrl),
    });
  };
}
