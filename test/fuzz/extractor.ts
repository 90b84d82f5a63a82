/**
 * Extracts kits for the fuzzing, on a thread of its own: one that hangs can be ended, and what is thrown where nobody
 * waits for it is seen. Each message is the path of a zip and the folder to unpack it into.
 */
import { parentPort } from 'node:worker_threads';
import { ApplicationFailure } from '@temporalio/common';
import { extractKit } from '../../storage/run-kits';

parentPort?.on('message', ([zip, folder]: [string, string]) => {
  extractKit(zip, folder).then(
    () => parentPort?.postMessage('extracted'),
    (error: unknown) => {
      const isRefusal = error instanceof ApplicationFailure && error.type === 'KitBroken';
      parentPort?.postMessage(isRefusal ? 'refused' : `failed: ${String(error)}`);
    },
  );
});
