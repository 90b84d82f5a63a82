/** How a host gets the kit of its own node: the same way for the central host and for a site. */
import { rm } from 'node:fs/promises';
import { mayPass } from '../../client';
// Not by the room's door: behind it is the client of the object store, which a site does not need and should not load.
import { downloadKit } from '../../storage/download-kit';
import { extractKit } from '../../storage/extract-kit';
import type { Kit, NodeRef } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { NodeHost } from './host';
import { startedNode } from './run-node';
import { unlessStopped } from './unless-stopped';

/**
 * Fetches `kit`, checks it against its sha256 and lays out a fresh private copy for the node to work on.
 * @throws ApplicationFailure `KitUnavailable`, `KitBroken`; any when the launch was stopped
 */
export async function fetchOwnKit(
  host: NodeHost,
  ref: NodeRef,
  kit: Kit,
  signal: AbortSignal,
): Promise<void> {
  // The kit of a node that was started is the node's: a fresh copy would pull it from under its feet.
  if ((await startedNode(host, ref)) !== undefined) return;
  await unlessStopped(host.folders, ref, () => fetchFresh(host, ref, kit, signal));
}

async function fetchFresh(
  { folders, api, fetchKit }: NodeHost,
  ref: NodeRef,
  kit: Kit,
  signal: AbortSignal,
): Promise<void> {
  const { runId, launchId } = ref;
  const access = await api.getRunKit(runId, launchId, kit.node, signal).catch((error: unknown) => {
    throw mayPass(error) ? failure('KitUnavailable', error.message) : error;
  });
  await folders.addToRecord(ref, { reportPath: access.reportPath, reportToken: access.reportToken });
  const file = folders.kitZip(ref);
  await downloadKit({ url: access.url, kit, file, signal, fetch: fetchKit });
  await extractKit(file, folders.kit(ref));
  await rm(file, { force: true });
}
