/** launchCentralNode: this host gets the central node's kit, whose key it has, and brings the node up once. */
import { Context } from '@temporalio/activity';
import { findTaken } from '../../nodes';
import {
  CENTRAL_NODE,
  type LaunchCentralInput,
  type LaunchedNode,
  type NodeRef,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { fetchOwnKit, type Unlocked } from '../shared/own-kit';
import { runNode, startedNode } from '../shared/run-node';
import type { CentralHost } from './central-host';
import { readKitKeys } from './kit-keys';

export function createLaunchCentralNode(host: CentralHost) {
  return async function launchCentralNode({
    computation,
    kit,
    ports,
    ...launch
  }: LaunchCentralInput): Promise<LaunchedNode> {
    const ref = { ...launch, node: CENTRAL_NODE };
    if ((await startedNode(host, ref)) === undefined) await mustBeFree(ports);
    await fetchOwnKit(host, ref, kit, Context.current().cancellationSignal, () => ownKey(host, ref));
    return runNode(host, ref, computation, await host.policy(), {
      command: computation.commands.central,
      folders: { kit: host.folders.kit(launch), output: await host.folders.openOutput(launch) },
      ports,
    });
  };
}

/** The kit was sealed here, so its key need not be sent. */
async function ownKey(host: CentralHost, ref: NodeRef): Promise<Unlocked> {
  const key = (await readKitKeys(host, ref))?.get(CENTRAL_NODE);
  if (key !== undefined) return { key };
  throw failure('KitBroken', 'This host no longer has the key of the kit: retry the run from provisioning.');
}

/** The kits name the ports, so this launch can have no others. What took one came by no ledger: it is somebody else's. */
async function mustBeFree(ports: readonly number[]): Promise<void> {
  const taken = await findTaken(ports);
  if (taken === undefined) return;
  throw failure(
    'NodeNotStarted',
    `Another process on this host listens on port ${taken}, which was reserved for this launch. ` +
      'The launch goes on as soon as that process ends; a new run gets another port.',
  );
}
