/**
 * The workflow bundle: made once by `npm run build`, so that a worker starts without a bundler, and by the tests from the
 * sources. Every process runs the very code that was built and replayed.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../sealing/payload-codec';

/** Where `npm run build` puts the bundle. */
export const BUILT_BUNDLE = resolve(__dirname, '..', 'workflow-bundle.js');

/**
 * Bundles `workflows/index` beside this room (sources under a test, compiled files in dist) into `path`, replacing it at
 * once so that two builds do not read each other's half.
 */
export async function buildWorkflowBundle(path: string): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve('../workflows'),
    preloadModules: [require.resolve('../workflows/preload')],
    failureConverterPath: FAILURE_CONVERTER,
  });
  await mkdir(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}`;
  await writeFile(half, code);
  await rename(half, path);
}

if (require.main === module) {
  void buildWorkflowBundle(BUILT_BUNDLE);
}
