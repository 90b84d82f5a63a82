/** collectResults: what the central node left in its output folder goes to the object store. */
import { findOutputs } from '../../nodes';
import { storeResults } from '../../storage';
import type { NodeRef, StoredResult } from '../../workflows/contract';
import type { CentralHost } from './central-host';

export function createCollectResults(host: CentralHost) {
  return async function collectResults(ref: NodeRef): Promise<StoredResult[]> {
    const folder = host.folders.output(ref);
    const { files } = await findOutputs(folder, []);
    return storeResults(host.store, ref, folder, files);
  };
}
