/** Stores what a node left in its output folder. */
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import {
  resultKey,
  resultManifestKey,
  type LaunchRef,
  type NodeRef,
  type OutputFile,
  type StoredResult,
} from '../workflows/contract';
import { failure } from '../workflows/errors';
import { mapInBatches } from './batch';
import { digestFile } from './digest';
import { nameProblem } from './kit-rules';
import { MAX_OBJECT_BYTES, type ObjectStore } from './object-store';

const WIDTH = 4;

/**
 * Uploads `files` (relative to `folder`, in which the node wrote them) and says where each is. Idempotent.
 * @throws ApplicationFailure `OutputsMissing` when a file is not, or not really, in the folder, or is too large
 */
export async function storeResults(
  store: ObjectStore,
  ref: NodeRef,
  folder: string,
  files: readonly OutputFile[],
): Promise<StoredResult[]> {
  const root = await realpath(folder);
  return mapInBatches(files, WIDTH, async ({ name }) => {
    const path = await ownFile(root, name);
    const digest = await digestFile(path);
    const key = resultKey(ref.runId, ref.launchId, ref.node, name);
    await store.putOnce(key, { path, ...digest });
    return { name, key, ...digest };
  });
}

/** Writes down what a launch's results are, after all of them are there. Idempotent. */
export async function storeResultManifest(
  store: ObjectStore,
  { runId, launchId }: LaunchRef,
  results: readonly StoredResult[],
): Promise<void> {
  const files = results.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
  const manifest = JSON.stringify({ runId, launchId, results: files }, undefined, 2);
  await store.putOnce(resultManifestKey(runId, launchId), Buffer.from(manifest));
}

/** The node may have left a link to a file of the host, which is not the node's to give away. */
async function ownFile(root: string, name: string): Promise<string> {
  const problem = nameProblem(name);
  if (problem !== undefined) throw notStorable(name, problem);
  const path = await realpath(join(root, name)).catch(() => undefined);
  if (path === undefined) throw notStorable(name, 'is not there');
  if (!path.startsWith(root + sep)) throw notStorable(name, 'is a link that leads out of the output folder');
  const stats = await stat(path);
  if (!stats.isFile()) throw notStorable(name, 'is not a file');
  if (stats.size > MAX_OBJECT_BYTES) throw notStorable(name, `has more than ${MAX_OBJECT_BYTES} bytes`);
  return path;
}

function notStorable(name: string, problem: string) {
  return failure('OutputsMissing', `The output ${JSON.stringify(name)} ${problem}`);
}
