/** How a host gets the kit of its own node: the same way for the central host and for a site. */
import { rm } from 'node:fs/promises';
import { mayPass } from '../../client/errors';
// Not by the room's door: behind it is the client of the object store, which a site does not need and should not load.
import { downloadKit } from '../../storage/download-kit';
import { extractKit } from '../../storage/extract-kit';
import { openKit } from '../../storage/kit-cipher';
import type { RunKitAccess } from '../../workflows/api-contract';
import type { Kit, NodeRef } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { NodeHost } from './host';
import type { LaunchRecord } from './launch-folders';
import { startedNode } from './run-node';
import { unlessStopped } from './unless-stopped';

/** What a host knows of its kit before it fetches it. */
export interface Unlocked {
  /** What the kit is sealed with. */
  key: Buffer;
  /** On which terms it may be used. */
  signed?: NonNullable<LaunchRecord['signed']>;
}
export type UnlockKit = (access: RunKitAccess) => Promise<Unlocked>;

/**
 * Fetches `kit`, checks it against its sha256, opens it and lays out a fresh private copy for the node to work on.
 * @throws ApplicationFailure `KitUnavailable`, `KitBroken`; what `unlock` throws; any when the launch was stopped
 */
export async function fetchOwnKit(
  host: NodeHost,
  ref: NodeRef,
  kit: Kit,
  signal: AbortSignal,
  unlock: UnlockKit,
): Promise<void> {
  // The kit of a node that was started is the node's: a fresh copy would pull it from under its feet.
  if ((await startedNode(host, ref)) !== undefined) return;
  await unlessStopped(host.folders, ref, () => fetchFresh(host, ref, kit, signal, unlock));
}

async function fetchFresh(
  { folders, api, fetchKit }: NodeHost,
  ref: NodeRef,
  kit: Kit,
  signal: AbortSignal,
  unlock: UnlockKit,
): Promise<void> {
  const { runId, launchId } = ref;
  const access = await api.getRunKit(runId, launchId, kit.node, signal).catch((error: unknown) => {
    throw mayPass(error) ? failure('KitUnavailable', error.message) : error;
  });
  const { key, ...terms } = await unlock(access);
  await folders.open(ref);
  const [sealed, zip] = [folders.sealedKit(ref), folders.kitZip(ref)];
  try {
    await downloadKit({ url: access.url, kit, file: sealed, signal, fetch: fetchKit });
    await openKit(sealed, key, zip);
    await rm(sealed);
    await extractKit(zip, folders.kit(ref));
  } finally {
    // Of what is refused nothing stays.
    for (const file of [sealed, zip]) await rm(file, { force: true });
  }
  // Last of all: where it says what was signed, the kit is there.
  const { reportPath, reportToken } = access;
  await folders.addToRecord(ref, { reportPath, reportToken, ...terms });
}
