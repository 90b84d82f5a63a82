/** publishRunKits: the kits that provisionProject made on this host go to the object store, and are gone from here. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishKits } from '../../storage';
import { CENTRAL_KIT_FOLDER, CENTRAL_NODE, PublishedKits, type PublishInput } from '../../workflows/contract';
import type { CentralHost } from './central-host';

export function createPublishRunKits(host: CentralHost) {
  return async function publishRunKits({ sites, ...ref }: PublishInput): Promise<PublishedKits> {
    const outgoing = host.folders.outgoing(ref);
    // Written before the kits are removed: a repeat after that finds them published.
    const receipt = `${outgoing}.json`;
    const known = await readFile(receipt, 'utf8').catch(() => undefined);
    if (known !== undefined) return PublishedKits.parse(JSON.parse(known));
    const siteFolders = sites.map((site): [string, string] => [site, join(outgoing, site)]);
    const folders = Object.fromEntries([[CENTRAL_NODE, join(outgoing, CENTRAL_KIT_FOLDER)], ...siteFolders]);
    const published: PublishedKits = { kits: await publishKits(host.store, { ...ref, folders }) };
    await writeFile(`${receipt}.half`, JSON.stringify(published), { mode: 0o600 });
    await rename(`${receipt}.half`, receipt);
    await rm(outgoing, { recursive: true, force: true });
    return published;
  };
}
