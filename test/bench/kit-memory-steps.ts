/**
 * One step of a large kit's way, in a process of its own: `node kit-memory-steps.js STEP FOLDER`. Its last line is the
 * most memory it ever had resident, in bytes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createStoreFetch } from '../../client/site-transport';
import { createObjectStore, objectStoreConfigFromEnv } from '../../storage/object-store';
import { downloadKit, extractKit, openKit, packKit } from '../../storage/run-kits';
import { Kit, kitKey } from '../../workflows/contract';
import type { KitStep } from './kit-memory';

const KEY = kitKey('bench', 'kitmemory000', 'central');
const CONTENT_KEY = Buffer.alloc(32, 'k');

async function main(step: KitStep | 'baseline', folder: string): Promise<void> {
  const settings = objectStoreConfigFromEnv(process.env);
  const store = createObjectStore(settings);
  const fetch = createStoreFetch(settings.ca, {});
  const at = (name: string) => join(folder, name);
  const published = async () => Kit.parse(JSON.parse(await readFile(at('kit.json'), 'utf8')));
  const signal = new AbortController().signal;
  const steps = {
    baseline: () => store.ensureBucket(),
    pack: async () => {
      const digest = await packKit(at('kit'), at('kit.sealed'), CONTENT_KEY);
      await writeFile(at('kit.json'), JSON.stringify({ node: 'central', key: KEY, ...digest }));
    },
    upload: async () => {
      const { sha256, size } = await published();
      await store.putOnce(KEY, { path: at('kit.sealed'), sha256, size });
    },
    download: async () => {
      const url = await store.presignGet(KEY, 600);
      await downloadKit({ url, kit: await published(), file: at('downloaded.sealed'), signal, fetch });
    },
    open: () => openKit(at('downloaded.sealed'), CONTENT_KEY, at('downloaded.zip')),
    extract: () => extractKit(at('downloaded.zip'), at('extracted')),
  };
  await steps[step]();
  console.log(process.resourceUsage().maxRSS * 1024);
}

const [, , step = '', folder = ''] = process.argv;
void main(step as KitStep | 'baseline', folder);
