import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { allowComputation, ensureComputationsFile } from '../../dev/computations-file';
import { useFolder } from '../support/folder';

const folder = useFolder();

it('adds a computation, replaces the one of the same name, and keeps what people wrote', async () => {
  const path = join(folder, 'kept.yaml');
  await writeFile(
    path,
    '# Ours.\ncomputations:\n  # The big one.\n  - { name: big, runtime: docker, image: big@sha256:1 }\nresources: { cpus: 1 }\n',
  );
  await allowComputation(path, { name: 'small', runtime: 'process', folder: '/old' });
  await allowComputation(path, { name: 'small', runtime: 'process', folder: '/new' });
  const text = await readFile(path, 'utf8');
  expect(text).toContain('# Ours.');
  expect(text).toContain('# The big one.');
  expect(parse(text)).toEqual({
    computations: [
      { name: 'big', runtime: 'docker', image: 'big@sha256:1' },
      { name: 'small', runtime: 'process', folder: '/new' },
    ],
    resources: { cpus: 1 },
  });
});

it('starts with a file that allows nothing, and loses no entry when several are added at once', async () => {
  const path = join(folder, 'new.yaml');
  await ensureComputationsFile(path);
  expect(parse(await readFile(path, 'utf8'))).toEqual({ computations: [] });
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(
    names.map((name) => allowComputation(path, { name, runtime: 'auto', image: `${name}:1` })),
  );
  const { computations } = parse(await readFile(path, 'utf8')) as { computations: { name: string }[] };
  expect(computations.map(({ name }) => name).sort()).toEqual(names);
});
