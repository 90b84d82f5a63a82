/** What this host has published of a launch: the receipt beside its other files, and the kits in the object store. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { mayPass } from '../../client/errors';
import { LaunchId, PublishedKits, launchPrefix, type LaunchRef } from '../../workflows/contract';
import { writeWhole } from '../shared/write-whole';
import type { CentralHost } from './central-host';

type Folders = Pick<CentralHost, 'folders'>;

/** The kits of a launch, once they are published. */
export async function readReceipt({ folders }: Folders, ref: LaunchRef): Promise<PublishedKits | undefined> {
  const text = await readFile(folders.receipt(ref), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : PublishedKits.parse(JSON.parse(text));
}

export async function writeReceipt(
  { folders }: Folders,
  ref: LaunchRef,
  published: PublishedKits,
): Promise<void> {
  await folders.open(ref);
  await writeWhole(folders.receipt(ref), JSON.stringify(published));
}

/** Notes, before it is done, that kits of a launch are published for these too. */
export async function noteHandedOn(host: Folders, ref: LaunchRef, launchIds: string[]): Promise<void> {
  const all = new Set([...(await handedOn(host, ref)), ...launchIds]);
  await writeWhole(host.folders.handedOn(ref), JSON.stringify([...all]));
}

async function handedOn({ folders }: Folders, ref: LaunchRef): Promise<string[]> {
  const text = await readFile(folders.handedOn(ref), 'utf8').catch(() => undefined);
  return text === undefined ? [] : z.array(LaunchId).parse(JSON.parse(text));
}

/**
 * Takes a launch's kits from the object store, for they hold the run's credentials, which end with the launch; and their
 * keys from the central API, so that no copy of a kit can be opened any more.
 */
export async function removeKits(host: CentralHost, ref: LaunchRef): Promise<void> {
  for (const launchId of [ref.launchId, ...(await handedOn(host, ref))]) {
    await host.store.removePrefix(`${launchPrefix(ref.runId, launchId)}/kits`);
    await host.api.removeRunKits(ref.runId, launchId).catch((error: unknown) => {
      // An API that is away forgets them when it hears that the launch is over.
      if (!mayPass(error)) throw error;
    });
  }
}
