/** Signing a computation from a terminal. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { signatureOf } from '../../activities/shared/signed-computation';
import { parseComputation } from '../../cli/arguments';
import { registerComputation } from '../../cli/computation';
import { UsageError } from '../../cli/usage-error';
import { useFolder } from '../support/folder';

const root = useFolder();
const IMAGE = `registry.example.org/penguins@sha256:${'1'.repeat(64)}`;
let folder: string;
let said: string;
let count = 0;
beforeEach(async () => {
  folder = join(root, String((count += 1)));
  await mkdir(folder);
  said = '';
  const keep = (text: unknown) => (said += String(text)) !== '';
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => jest.restoreAllMocks());

/** What `muster computation` prints. */
async function computation(...args: string[]): Promise<string> {
  said = '';
  const program = new Command();
  registerComputation(program);
  await program.parseAsync(['computation', ...args], { from: 'user' });
  return said;
}
const file = (name: string) => join(folder, name);
async function manifest(image: string): Promise<string> {
  const path = file('computation.yaml');
  await writeFile(path, `# Ours.\nname: penguins\nversion: 1.0.0 # the first\n${image}\n`);
  return path;
}

test('a key is made for its owner alone, and is not overwritten', async () => {
  const key = file('signer.key');
  expect(await computation('keygen', key)).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  const before = await readFile(key, 'utf8');
  await expect(computation('keygen', key)).rejects.toThrow('is there already');
  expect(await readFile(key, 'utf8')).toBe(before);
});

test('a signature goes into the file, whose words stay; signing anew replaces it', async () => {
  const path = await manifest(`image: ${IMAGE}`);
  const parsed = async () => parseComputation(await readFile(path, 'utf8'), path);
  for (const name of ['first.key', 'second.key']) {
    const signer = (await computation('keygen', file(name))).trim();
    expect(await computation('sign', path, '--key', file(name))).toBe(
      `penguins@1.0.0 is signed by ${signer}\n`,
    );
    expect(await signatureOf(await parsed())).toEqual({ signer });
  }
  const text = await readFile(path, 'utf8');
  expect(text).toMatch(
    /^# Ours\.\nname: penguins\nversion: 1\.0\.0 # the first\nimage: \S+\nsignature: \S+\n$/,
  );
  await writeFile(path, text.replace('@sha256:1', '@sha256:2'));
  expect(await signatureOf(await parsed())).toEqual({ flaw: 'its signature does not fit its image' });
  await expect(computation('add', path)).rejects.toThrow(
    'computation.yaml: its signature does not fit its image: sign it once more',
  );
});

test.each([
  ['image: penguins:1.0.0', /image: penguins:1\.0\.0 may mean another image tomorrow.*docker image inspect/],
  ['commands: { edge: [node, edge.js] }', /names no image: what runs as local processes cannot be signed/],
])('%s cannot be signed', async (image, words) => {
  const path = await manifest(image);
  await computation('keygen', file('signer.key'));
  const signing = computation('sign', path, '--key', file('signer.key'));
  await expect(signing).rejects.toBeInstanceOf(UsageError);
  await expect(signing).rejects.toThrow(words);
});

test('what is not such a key is told with its name', async () => {
  const path = await manifest(`image: ${IMAGE}`);
  await expect(computation('sign', path, '--key', file('none'))).rejects.toThrow('none cannot be read');
  await expect(computation('sign', path, '--key', path)).rejects.toThrow('is not an Ed25519 private key');
});
