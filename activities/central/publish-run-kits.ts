/**
 * publishRunKits: the kits that provisionProject made on this host go to the object store, sealed, and are gone from here.
 * Their keys go to the central API.
 */
import { join } from 'node:path';
import { removeOwn } from '../../nodes';
import { publishKits } from '../../storage';
import {
  CENTRAL_KIT_FOLDER,
  CENTRAL_NODE,
  type LaunchRef,
  type PublishInput,
  type PublishedKits,
} from '../../workflows/contract';
import { unlessStopped } from '../shared/unless-stopped';
import type { CentralHost } from './central-host';
import { ensureKitKeys, handKeysOver } from './kit-keys';
import { readReceipt, removeKits, writeReceipt } from './published-kits';

export function createPublishRunKits(host: CentralHost) {
  return function publishRunKits({ sites, ...ref }: PublishInput): Promise<PublishedKits> {
    const publish = async () => {
      const published = (await readReceipt(host, ref)) ?? (await publishAll(host, ref, sites));
      await removeOwn(host.folders.outgoing(ref));
      return published;
    };
    return unlessStopped(host.folders, { ...ref, node: CENTRAL_NODE }, publish, () => removeKits(host, ref));
  };
}

async function publishAll(
  host: CentralHost,
  ref: LaunchRef,
  sites: readonly string[],
): Promise<PublishedKits> {
  const outgoing = host.folders.outgoing(ref);
  const siteFolders = sites.map((site): [string, string] => [site, join(outgoing, site)]);
  const folders = Object.fromEntries([[CENTRAL_NODE, join(outgoing, CENTRAL_KIT_FOLDER)], ...siteFolders]);
  const keys = await ensureKitKeys(host, ref, Object.keys(folders));
  const published: PublishedKits = { kits: await publishKits(host.store, { ...ref, folders, keys }) };
  await handKeysOver(host, ref, ref, published.kits);
  // Before the kits are removed: a repeat after that finds them published.
  await writeReceipt(host, ref, published);
  return published;
}
