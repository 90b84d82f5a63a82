/** collectResults: what the central node left in its output folder goes to the object store. */
import { findOutputs } from '../../nodes';
import { storeResultManifest, storeResults } from '../../storage';
import type { NodeRef, StoredResult } from '../../workflows/contract';
import type { CentralHost } from './central-host';

export function createCollectResults(host: CentralHost) {
  return async function collectResults(ref: NodeRef): Promise<StoredResult[]> {
    const folder = host.folders.output(ref);
    const { files } = await findOutputs(folder, []);
    const stored = await storeResults(host.store, ref, folder, files);
    await storeResultManifest(host.store, ref, stored);
    return stored;
  };
}
