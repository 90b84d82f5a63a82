/** How a host gets the kit of its own node: the same way for the central host and for a site. */
import { rm } from 'node:fs/promises';
import { ApiUnreachable } from '../../client';
import { downloadKit, extractKit } from '../../storage';
import type { Kit, LaunchRef } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { NodeHost } from './host';

/** Fetches `kit`, checks it against its sha256 and lays out a fresh private copy for the node to work on. */
export async function fetchOwnKit(
  host: NodeHost,
  ref: LaunchRef,
  kit: Kit,
  signal: AbortSignal,
): Promise<void> {
  const { folders, api } = host;
  await folders.open(ref);
  const access = await api.getRunKit(ref.runId, ref.launchId, kit.node, signal).catch((error: unknown) => {
    throw error instanceof ApiUnreachable ? failure('KitUnavailable', error.message) : error;
  });
  await folders.addToRecord(ref, { reportPath: access.reportPath, reportToken: access.reportToken });
  const file = folders.kitZip(ref);
  await downloadKit({ url: access.url, kit, file, signal });
  await rm(folders.kit(ref), { recursive: true, force: true });
  await extractKit(file, folders.kit(ref));
  await rm(file, { force: true });
}
