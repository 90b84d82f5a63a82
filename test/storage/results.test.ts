import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { digestBytes } from '../../storage/digest';
import type { ObjectStore } from '../../storage/object-store';
import { storeResultManifest, storeResults } from '../../storage/results';
import { useFolder } from '../support/folder';
import { testObjectStore } from '../support/object-store';

const root = useFolder();
const ref = { runId: 'run-1', launchId: 'aaaabbbbcccc', node: 'central' };
let store: ObjectStore;
let output: string;
beforeAll(async () => {
  store = await testObjectStore();
  output = join(root, 'output');
  await mkdir(join(output, 'plots'), { recursive: true });
  await writeFile(join(output, 'fit.json'), '{"slope":1}');
  await writeFile(join(output, 'plots/fit plot.svg'), '<svg/>');
  await writeFile(join(root, 'host-secret'), 'not the node’s');
  await symlink('../host-secret', join(output, 'leak.txt'));
  await symlink(root, join(output, 'up'));
  await symlink('fit.json', join(output, 'latest.json'));
});

test('files keep their names below the node’s results, and a repeat finds them there', async () => {
  const files = [
    { name: 'fit.json', size: 11 },
    { name: 'plots/fit plot.svg', size: 6 },
  ];
  const stored = await storeResults(store, ref, output, files);
  expect(stored).toEqual([
    {
      name: 'fit.json',
      key: 'runs/run-1/aaaabbbbcccc/results/central/fit.json',
      ...digestBytes(Buffer.from('{"slope":1}')),
    },
    {
      name: 'plots/fit plot.svg',
      key: 'runs/run-1/aaaabbbbcccc/results/central/plots/fit plot.svg',
      ...digestBytes(Buffer.from('<svg/>')),
    },
  ]);
  expect(await text(await store.getStream(stored[1]?.key ?? ''))).toBe('<svg/>');
  expect(await storeResults(store, ref, output, files)).toEqual(stored);
});

test('a manifest says what the results of a launch are', async () => {
  const results = [
    { name: 'fit.json', key: 'runs/run-1/aaaabbbbcccc/results/central/fit.json', size: 11, sha256: 'a' },
  ];
  await storeResultManifest(store, ref, results);
  await storeResultManifest(store, ref, results);
  const manifest = await text(await store.getStream('runs/run-1/aaaabbbbcccc/results/manifest.json'));
  expect(JSON.parse(manifest)).toEqual({
    ...{ runId: 'run-1', launchId: 'aaaabbbbcccc', results: [{ name: 'fit.json', size: 11, sha256: 'a' }] },
  });
});

test('a link within the folder is a file of the folder', async () => {
  const [stored] = await storeResults(store, ref, output, [{ name: 'latest.json', size: 11 }]);
  expect(await text(await store.getStream(stored?.key ?? ''))).toBe('{"slope":1}');
});

test.each([
  ['leak.txt', 'is a link that leads out'],
  ['up/host-secret', 'is a link that leads out'],
  ['../host-secret', 'leads out of'],
  ['missing.json', 'is not there'],
  ['plots', 'is not a file'],
])('%s is not stored: it %s', async (name, problem) => {
  const attempt = storeResults(store, ref, output, [{ name, size: 1 }]);
  await expect(attempt).rejects.toMatchObject({
    type: 'OutputsMissing',
    message: expect.stringContaining(problem) as string,
  });
});
