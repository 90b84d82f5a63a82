/** A kit never lies in memory as a whole. The bench measures the same with 1 GiB. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { KIT_STEPS, kitMemory } from '../bench/kit-memory';
import { useFolder } from '../support/folder';
import { testObjectStoreEnv } from '../support/object-store';

const folder = useFolder();
const MiB = 2 ** 20;

test('every step of a 256 MiB kit stays well below the kit’s size', async () => {
  const script = join(folder, 'steps.js');
  const entry = join(__dirname, '../bench/kit-memory-steps.ts');
  await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', logLevel: 'error' });
  const { baselineBytes, peakRssBytes } = await kitMemory({
    env: testObjectStoreEnv(),
    sizeBytes: 256 * MiB,
    script,
  });
  for (const step of KIT_STEPS) expect(peakRssBytes[step] - baselineBytes).toBeLessThan(128 * MiB);
});
