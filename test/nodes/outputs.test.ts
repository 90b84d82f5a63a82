import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findOutputs } from '../../nodes/outputs';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-outputs-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function leave(name: string, content = ''): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

test('the files are named relative to the output folder, with their sizes', async () => {
  await leave('stats.csv', 'a,b\n');
  await leave('plots/one.png', '12345');
  expect(await findOutputs(folder, [])).toEqual({
    files: [
      { name: 'plots/one.png', size: 5 },
      { name: 'stats.csv', size: 4 },
    ],
    missing: [],
  });
});

test('a declared glob that no file matches is missing', async () => {
  await leave('stats.csv');
  await leave('deep/down/model.pt');
  const declared = ['*.csv', 'deep/**/*.pt', 'summary.json', '*.pt'];
  expect((await findOutputs(folder, declared)).missing).toEqual(['summary.json', '*.pt']);
});

test('a folder is not an output, even when a glob matches its name', async () => {
  await mkdir(join(folder, 'stats.csv'));
  expect((await findOutputs(folder, ['stats.csv'])).missing).toEqual(['stats.csv']);
});

test('links are not followed, whether they name a file or a folder', async () => {
  await symlink('/etc/passwd', join(folder, 'stats.csv'));
  await symlink('/etc', join(folder, 'etc'));
  expect(await findOutputs(folder, ['stats.csv', 'etc/passwd'])).toEqual({
    files: [],
    missing: ['stats.csv', 'etc/passwd'],
  });
});

test('an output folder that is a link or is not there has no outputs', async () => {
  await leave('inside/stats.csv');
  await symlink(join(folder, 'inside'), join(folder, 'link'));
  for (const other of ['link', 'nowhere']) {
    expect(await findOutputs(join(folder, other), ['*.csv'])).toEqual({ files: [], missing: ['*.csv'] });
  }
});

test('of very many files 200 are named, and the declared ones are among them', async () => {
  await Promise.all(Array.from({ length: 1200 }, (_, n) => leave(`part-${String(n).padStart(4, '0')}.bin`)));
  await leave('zz/global_stats.csv');
  const { files, missing } = await findOutputs(folder, ['**/global_stats.csv']);
  expect(missing).toEqual([]);
  expect(files).toHaveLength(200);
  expect(files[0]?.name).toBe('zz/global_stats.csv');
  expect(files[1]?.name).toBe('part-0000.bin');
});
