import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPlan } from '../../cli/try-plan';
import { UsageError } from '../../cli/usage-error';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-plan-'));
  await mkdir(at('data', 'a'), { recursive: true });
  await mkdir(at('computation'));
  await writeFile(at('computation', 'computation.yaml'), 'name: mean\nversion: 1.0.0\n');
  await writeFile(at('parameters.json'), '{"decimals": 2}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a plan holds the computation, its folder, the parameters and absolute data folders', async () => {
  const here = process.cwd();
  process.chdir(folder);
  try {
    await expect(
      readPlan('computation/computation.yaml', { site: ['a=data/a'], params: 'parameters.json' }),
    ).resolves.toMatchObject({
      computation: { name: 'mean' },
      folder: at('computation'),
      sites: [{ id: 'a', folder: at('data', 'a') }],
      parameters: { decimals: 2 },
    });
  } finally {
    process.chdir(here);
  }
});

test.each<[string, () => Parameters<typeof readPlan>, RegExp]>([
  [
    'no computation',
    () => [at('none.yaml'), { site: ['a=/'] }],
    /none\.yaml cannot be read: it does not exist/,
  ],
  [
    'a folder for a computation',
    () => [at('computation'), { site: ['a=/'] }],
    /cannot be read: it is a folder/,
  ],
  [
    'no data',
    () => [computation(), { site: [`a=${at('nowhere')}`] }],
    /--site a: .*nowhere.* does not exist/,
  ],
  [
    'a file for data',
    () => [computation(), { site: [`a=${computation()}`] }],
    /--site a: .* is not a folder/,
  ],
  [
    'no parameters',
    () => [computation(), { site: ['a=/'], params: at('p') }],
    /\/p cannot be read: it does not exist/,
  ],
])('%s is named', async (_what, args, message) => {
  await expect(readPlan(...args())).rejects.toThrow(UsageError);
  await expect(readPlan(...args())).rejects.toThrow(message);
});
const computation = () => at('computation', 'computation.yaml');
