/** Whatever a zip is: it is a kit, in its folder and nowhere else, made of files and folders alone; or it is refused and leaves nothing. */
import { once } from 'node:events';
import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import fc from 'fast-check';
import { timeLimit } from '../../time/limit';
import { damaged } from '../server/gateway/protobufs';
import { rawZip, type RawEntry } from '../storage/raw-zip';
import { useFolder } from '../support/folder';
import { PATIENCE_MS, fuzz } from './fuzz';

const root = useFolder();
const box = join(root, 'a/b/c');
const [zip, kit] = [join(box, 'kit.zip'), join(box, 'kit')];
let extractor: Worker;

beforeAll(async () => {
  await mkdir(box, { recursive: true });
  const script = join(root, 'extractor.js');
  const entry = join(__dirname, 'extractor.ts');
  await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', logLevel: 'error' });
  extractor = new Worker(script);
});
afterAll(() => extractor.terminate());

const paths = fc.oneof(
  fc
    .array(fc.constantFrom('..', '.', '', 'a', 'b', 'l', 'kit', 'c', 'C:', '\\', '~', 'ä', '\0', '\u202e'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((steps) => steps.join('/')),
  fc.constantFrom(
    '../kit.zip',
    '../../escaped',
    '../kit.part/../escaped',
    'l',
    'l/escaped',
    'l/../../escaped',
  ),
  fc.constantFrom('escaped', 'a/b/c/escaped').map((name) => join(root, name)),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);
const FILE = 0o100644;
const modes = fc.oneof(
  { weight: 4, arbitrary: fc.constant(FILE) },
  // Links, devices, pipes, sockets, folders, and programs that run as somebody else.
  fc.constantFrom(0o120777, 0o060666, 0o020666, 0o010666, 0o140777, 0o040755, 0o104755, 0),
  fc.nat(0xffff),
);
const entries: fc.Arbitrary<RawEntry> = fc.record(
  {
    name: paths,
    content: fc.oneof(
      fc.constantFrom('..', '../..', '/etc', root, '/dev/zero').map((target) => Buffer.from(target)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(200_000).map((size) => Buffer.alloc(size)),
    ),
    mode: modes,
    method: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 8) }, fc.nat(0xffff)),
    flags: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 0x800) }, fc.nat(0xffff)),
    claimedSize: fc.oneof(fc.nat(300), fc.constantFrom(0xffff_ffff, 2 ** 31)),
  },
  { requiredKeys: ['name'] },
);
const hostile = fc
  .tuple(fc.array(entries, { maxLength: 6 }), fc.option(fc.nat(0xffff), { freq: 8, nil: undefined }))
  .map(([inside, claimed]) => rawZip(inside, claimed));
const good = rawZip([
  { name: 'a.txt', content: Buffer.from('a') },
  { name: 'dir/', mode: 0o040755 },
  { name: 'dir/b', content: Buffer.from('bbbb'.repeat(50)), method: 8 },
]);

async function extracted(): Promise<string> {
  extractor.postMessage([zip, kit]);
  // An error that nobody waits for rejects this.
  const [answer] = (await once(extractor, 'message', { signal: timeLimit(PATIENCE_MS) })) as [string];
  return answer;
}

/** Everything below the test's folder, but what belongs there. */
async function beside(): Promise<string[]> {
  const ours = new Set(['extractor.js', 'a', 'a/b', 'a/b/c', 'a/b/c/kit.zip']);
  const found = await readdir(root, { recursive: true });
  return found.filter((path) => !ours.has(path) && path !== 'a/b/c/kit' && !path.startsWith('a/b/c/kit/'));
}

async function inside(): Promise<string[]> {
  const names = await readdir(kit, { recursive: true });
  const strange = await Promise.all(
    names.map(async (name) => {
      const { mode } = await lstat(join(kit, name));
      return (mode & 0o170000) === 0o100000 || (mode & 0o170000) === 0o040000 ? (mode & 0o7077) !== 0 : true;
    }),
  );
  return names.filter((_, index) => strange[index]);
}

fuzz(
  'a kit',
  {
    bytes: fc
      .tuple(fc.constantFrom('', 'PK\x03\x04', 'PK\x05\x06'), fc.uint8Array({ maxLength: 300 }))
      .map(([head, bytes]) => Buffer.concat([Buffer.from(head, 'latin1'), bytes])),
    damaged: damaged(fc.constant(good)),
    hostile,
    'hostile and damaged': damaged(hostile),
  },
  async (bytes) => {
    await writeFile(zip, bytes);
    const answer = await extracted();
    expect(['extracted', 'refused']).toContain(answer);
    expect(await beside()).toEqual([]);
    if (answer === 'extracted') expect(await inside()).toEqual([]);
    else expect(await readdir(box)).toEqual(['kit.zip']);
    await rm(kit, { recursive: true, force: true });
  },
);
