/** publishRunKits: the kits that provisionProject made on this host go to the object store, and are gone from here. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeOwn } from '../../nodes';
import { publishKits } from '../../storage';
import {
  CENTRAL_KIT_FOLDER,
  CENTRAL_NODE,
  PublishedKits,
  launchPrefix,
  type LaunchRef,
  type PublishInput,
} from '../../workflows/contract';
import { unlessStopped } from '../shared/unless-stopped';
import { writeWhole } from '../shared/write-whole';
import type { CentralHost } from './central-host';

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

/** Takes a launch's kits from the object store: they hold the run's credentials, which end with the launch. */
export function removeKits({ store }: CentralHost, { runId, launchId }: LaunchRef): Promise<number> {
  return store.removePrefix(`${launchPrefix(runId, launchId)}/kits`);
}

async function readReceipt({ folders }: CentralHost, ref: LaunchRef): Promise<PublishedKits | undefined> {
  const text = await readFile(folders.receipt(ref), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : PublishedKits.parse(JSON.parse(text));
}

async function publishAll(
  host: CentralHost,
  ref: LaunchRef,
  sites: readonly string[],
): Promise<PublishedKits> {
  const outgoing = host.folders.outgoing(ref);
  const siteFolders = sites.map((site): [string, string] => [site, join(outgoing, site)]);
  const folders = Object.fromEntries([[CENTRAL_NODE, join(outgoing, CENTRAL_KIT_FOLDER)], ...siteFolders]);
  const published: PublishedKits = { kits: await publishKits(host.store, { ...ref, folders }) };
  // Before the kits are removed: a repeat after that finds them published.
  await writeWhole(host.folders.receipt(ref), JSON.stringify(published));
  return published;
}
