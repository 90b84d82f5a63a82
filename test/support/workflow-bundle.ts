/** The workflow bundle that tests run and replay: always that of the sources as they are now. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildWorkflowBundle } from '../../workers/build-bundle';

const root = resolve(__dirname, '../..');
const folder = join(root, 'node_modules/.cache/muster');

/** Path of the bundle of workflows/, made only when a source has changed. */
export async function ensureWorkflowBundle(): Promise<string> {
  const path = join(folder, `workflows-${await fingerprint()}.js`);
  if (!existsSync(path)) await buildWorkflowBundle(path);
  return path;
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const workflows = (await readdir(join(root, 'workflows'))).filter((name) => name.endsWith('.ts')).sort();
  for (const file of [
    ...workflows.map((name) => join('workflows', name)),
    'sealing/failure-converter.ts',
    'workers/build-bundle.ts',
    'package-lock.json',
  ]) {
    hash.update(file).update(await readFile(join(root, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
