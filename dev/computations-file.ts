/** The file that tells a stack's central worker which computations it may run. People may edit it too. */
import { parseDocument, YAMLSeq } from 'yaml';
import { readIfThere, writeWhole } from './files';
import { locked } from './lock';

/** A computation and how it is run: an image for Docker, a folder for local processes. */
export interface AllowedComputation {
  name: string;
  runtime: 'docker' | 'process' | 'auto';
  image?: string;
  folder?: string;
}

const EMPTY = '# Computations that the central worker may run.\ncomputations: []\n';

/** Makes sure that the file is there. */
export async function ensureComputationsFile(path: string): Promise<void> {
  if ((await readIfThere(path)) === undefined) await writeWhole(path, EMPTY);
}

/** Allows a computation; an entry of the same name is replaced, everything else in the file is kept. */
export function allowComputation(path: string, entry: AllowedComputation): Promise<void> {
  return locked(`${path}.lock`, async () => {
    const document = parseDocument((await readIfThere(path)) ?? EMPTY);
    const kept = document.get('computations');
    const list = kept instanceof YAMLSeq ? kept : new YAMLSeq();
    list.flow = false;
    const index = list.items.findIndex((_, at) => list.getIn([at, 'name']) === entry.name);
    list.set(index < 0 ? list.items.length : index, document.createNode(entry));
    document.set('computations', list);
    await writeWhole(path, document.toString());
  });
}
