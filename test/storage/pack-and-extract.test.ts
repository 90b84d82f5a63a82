import fs from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { ApplicationFailure } from '@temporalio/common';
import { digestFile } from '../../storage/digest';
import { extractKit, KIT_LIMITS, newContentKey, openKit, packKit } from '../../storage/run-kits';
import { useFolder } from '../support/folder';
import { rawZip, type RawEntry } from './raw-zip';

const root = useFolder();
const KEY = newContentKey();
let count = 0;
/** A path that nothing has used yet. */
const fresh = (name = 'x') => join(root, `${name}-${count++}`);

async function makeFolder(files: Record<string, string>): Promise<string> {
  const folder = fresh('kit');
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Unpacks a sealed kit. */
async function unpack(sealed: string, target: string): Promise<void> {
  const zip = fresh('zip');
  await openKit(sealed, KEY, zip);
  await extractKit(zip, target);
}

/** Every file below a folder with its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found: Record<string, string> = {};
  for (const path of files.sort()) found[path.slice(folder.length + 1)] = await readFile(path, 'utf8');
  return found;
}

const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error(`Expected a failure, got ${String(error)}`);
  return error;
};

describe('packing', () => {
  const files = { 'startup/start.sh': '#!/bin/sh\n', 'b.txt': 'bee', 'a.txt': 'ay', 'deep/er/c.json': '{}' };

  test('the same content gives the same bytes, whatever its times, order and place', async () => {
    const first = await makeFolder(files);
    const second = await makeFolder(Object.fromEntries(Object.entries(files).reverse()));
    await utimes(join(second, 'a.txt'), new Date(2001, 1, 1), new Date(2002, 2, 2));
    const zips = [fresh('zip'), fresh('zip')] as const;
    const digests = [await packKit(first, zips[0], KEY), await packKit(second, zips[1], KEY)];
    expect(digests[0]).toEqual(digests[1]);
    expect(digests[0]).toEqual(await digestFile(zips[0]));
    expect(await readFile(zips[0])).toEqual(await readFile(zips[1]));
  });

  test('the time in the zip is one that reads the same in every time zone', async () => {
    const zip = fresh('zip');
    await packKit(await makeFolder({ a: 'a' }), `${zip}.sealed`, KEY);
    await openKit(`${zip}.sealed`, KEY, zip);
    const bytes = await readFile(zip);
    const [time, firstOfJanuary1980] = [0, (1 << 5) | 1];
    expect([bytes.readUInt16LE(10), bytes.readUInt16LE(12)]).toEqual([time, firstOfJanuary1980]);
    expect(bytes.includes('UT')).toBe(false);
  });

  test('other content, names or permissions give other bytes', async () => {
    const plain = await packKit(await makeFolder({ a: 'x' }), fresh('zip'), KEY);
    const renamed = await packKit(await makeFolder({ b: 'x' }), fresh('zip'), KEY);
    const executable = await makeFolder({ a: 'x' });
    await chmod(join(executable, 'a'), 0o755);
    expect(
      new Set([plain.sha256, renamed.sha256, (await packKit(executable, fresh('zip'), KEY)).sha256]).size,
    ).toBe(3);
  });

  test('a zip left by an interrupted attempt is replaced, and only its owner can read the new one', async () => {
    const zip = fresh('zip');
    await writeFile(zip, 'half');
    expect(await packKit(await makeFolder(files), zip, KEY)).toEqual(await digestFile(zip));
    expect((await stat(zip)).mode & 0o777).toBe(0o600);
  });

  test('a link in the folder is named and not followed', async () => {
    const folder = await makeFolder(files);
    await symlink('/etc/passwd', join(folder, 'deep/users'));
    const error = await failureOf(packKit(folder, fresh('zip'), KEY));
    expect(error.type).toBe('ProvisionFailed');
    expect(error.message).toContain('"deep/users" is a link or a special file');
  });

  test('a kit that was not made, or is a link to some folder of the host, is refused', async () => {
    const link = fresh('kit');
    await symlink('/etc', link);
    for (const folder of [link, fresh('nowhere')]) {
      const error = await failureOf(packKit(folder, fresh('zip'), KEY));
      expect(error).toMatchObject({
        type: 'ProvisionFailed',
        message: expect.stringContaining('not a folder') as string,
      });
    }
  });

  test('a name that another system would read as a path is refused', async () => {
    const error = await failureOf(packKit(await makeFolder({ 'a\\b': '' }), fresh('zip'), KEY));
    expect(error).toMatchObject({
      type: 'ProvisionFailed',
      message: expect.stringContaining('backslash') as string,
    });
  });
});

describe('sealing', () => {
  /** Seals a kit, and answers what opening it ends with. */
  async function opening(
    damage: (sealed: Buffer) => Buffer,
    key = KEY,
  ): Promise<ApplicationFailure | 'opened'> {
    const folder = fresh('sealed');
    await mkdir(folder);
    const [sealed, zip] = [join(folder, 'kit.sealed'), join(folder, 'kit.zip')];
    await packKit(await makeFolder({ a: 'ay' }), sealed, KEY);
    await writeFile(sealed, damage(await readFile(sealed)));
    const opened = openKit(sealed, key, zip).then(() => 'opened' as const);
    const outcome = await opened.catch((error: unknown) => error as ApplicationFailure);
    expect(await readdir(folder)).toEqual(outcome === 'opened' ? ['kit.sealed', 'kit.zip'] : ['kit.sealed']);
    return outcome;
  }

  test('nothing of a kit can be read in what is published', async () => {
    const sealed = fresh('sealed');
    await packKit(await makeFolder({ 'startup.json': 'the credentials' }), sealed, KEY);
    const bytes = await readFile(sealed);
    for (const word of ['startup', 'credentials', 'PK']) expect(bytes.includes(word)).toBe(false);
    expect(await opening((whole) => whole)).toBe('opened');
  });

  test('of what does not open nothing stays, also where it takes the disk a while to make a file', async () => {
    const folder = fresh('sealed');
    await mkdir(folder);
    const sealed = join(folder, 'kit.sealed');
    await packKit(await makeFolder({ a: 'ay' }), sealed, KEY);
    const { open } = fs;
    const late: Promise<void>[] = [];
    const slow = (
      path: string,
      flags: string,
      mode: number,
      opened: (...how: [Error | null, number]) => void,
    ) => {
      const asEver = () => open(path, flags, mode, opened);
      if (flags === 'wx') late.push(pause(100).then(asEver));
      else asEver();
    };
    const disk = jest.spyOn(fs, 'open').mockImplementation(slow as typeof open);
    await failureOf(openKit(sealed, newContentKey(), join(folder, 'kit.zip')));
    await Promise.all(late);
    disk.mockRestore();
    expect(await readdir(folder)).toEqual(['kit.sealed']);
  });

  test('another key gives other bytes, and does not open them', async () => {
    const [one, other] = [fresh('sealed'), fresh('sealed')];
    const folder = await makeFolder({ a: 'ay' });
    expect(await packKit(folder, one, KEY)).not.toEqual(await packKit(folder, other, newContentKey()));
    expect(await opening((whole) => whole, newContentKey())).toMatchObject({ type: 'KitBroken' });
  });

  test.each<[string, (whole: Buffer) => Buffer]>([
    ['a changed byte', (whole) => Buffer.from(whole).fill(whole[40]! ^ 1, 40, 41)],
    ['a changed tag', (whole) => Buffer.from(whole).fill(whole.at(-1)! ^ 1, whole.length - 1)],
    ['a missing end', (whole) => whole.subarray(0, -1)],
    ['more behind it', (whole) => Buffer.concat([whole, Buffer.alloc(1)])],
    ['nothing but a tag', (whole) => whole.subarray(-16)],
    ['nothing', () => Buffer.alloc(0)],
  ])('%s is found out before anything is unpacked', async (_what, damage) => {
    expect(await opening(damage)).toMatchObject({ type: 'KitBroken', nonRetryable: true });
  });
});

describe('extracting', () => {
  test('gives back what was packed, private to its owner, with executable files executable', async () => {
    const files = { 'startup/start.sh': '#!/bin/sh\n', 'a.txt': 'ay', 'deep/er/ünï.json': '{}', empty: '' };
    const source = await makeFolder(files);
    await chmod(join(source, 'startup/start.sh'), 0o755);
    await mkdir(join(source, 'transfer'));
    const [zip, target] = [fresh('zip'), fresh('out')];
    await packKit(source, zip, KEY);
    await unpack(zip, target);

    expect(await contents(target)).toEqual(await contents(source));
    const mode = async (name: string) => (await stat(join(target, name))).mode & 0o777;
    expect(await mode('')).toBe(0o700);
    expect(await mode('deep')).toBe(0o700);
    expect(await mode('a.txt')).toBe(0o600);
    expect(await mode('startup/start.sh')).toBe(0o700);
    expect((await stat(join(target, 'transfer'))).isDirectory()).toBe(true);
  });

  test('a folder that an earlier node used becomes pristine again', async () => {
    const [zip, target] = [fresh('zip'), fresh('out')];
    await packKit(await makeFolder({ a: 'fresh' }), zip, KEY);
    await unpack(zip, target);
    await writeFile(join(target, 'a'), 'used');
    await writeFile(join(target, 'daemon.pid'), '1');
    await unpack(zip, target);
    expect(await contents(target)).toEqual({ a: 'fresh' });
  });

  test('any tree of files survives the way there and back', async () => {
    const step = fc.string({
      unit: fc.constantFrom(...['a', 'b', 'A', 'B', '0', '1', '.', '_', '-', 'ü']),
      minLength: 1,
      maxLength: 8,
    });
    const path = fc.array(
      step.filter((s) => s !== '.' && s !== '..'),
      { minLength: 1, maxLength: 3 },
    );
    const tree = fc.dictionary(
      path.map((steps) => steps.join('/')),
      fc.string(),
      { maxKeys: 6, noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        const paths = Object.keys(files);
        fc.pre(!paths.some((a) => paths.some((b) => b.startsWith(`${a}/`))));
        const [zip, target] = [fresh('zip'), fresh('out')];
        await packKit(await makeFolder(files), zip, KEY);
        await unpack(zip, target);
        expect(await contents(target)).toEqual(files);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a hostile zip', () => {
  const harmless: RawEntry = { name: 'a.txt', content: Buffer.from('a') };

  /** Tries to extract, and checks that nothing at all was left or written beside. */
  async function refused(zip: Buffer, limits = KIT_LIMITS): Promise<string> {
    const folder = fresh('site');
    await mkdir(folder);
    const file = join(folder, 'kit.zip');
    await writeFile(file, zip);
    const error = await failureOf(extractKit(file, join(folder, 'kit'), limits));
    expect(error.type).toBe('KitBroken');
    expect(error.nonRetryable).toBe(true);
    expect(await readdir(folder)).toEqual(['kit.zip']);
    return error.message;
  }

  test.each<[string, RawEntry, string]>([
    ['a path that leads out', { name: '../evil' }, '"../evil" leads out of the kit'],
    ['one in the middle', { name: 'a/../../evil' }, '"a/../../evil" leads out of the kit'],
    ['an absolute path', { name: '/etc/cron.d/evil' }, 'has an absolute path'],
    ['a backslash', { name: '..\\evil' }, 'has a backslash'],
    ['a drive letter', { name: 'C:evil' }, 'has a drive letter'],
    [
      'a symbolic link',
      { name: 'l', content: Buffer.from('/etc'), mode: 0o120777 },
      '"l" is a link or a special file',
    ],
    ['a socket', { name: 's', mode: 0o140777 }, '"s" is a link or a special file'],
    ['the same name twice', { name: 'a.txt' }, '"a.txt" is there twice'],
    ['a file below a file', { name: 'a.txt/b' }, '"a.txt" is a file'],
    ['a name that is not Unicode', { name: Buffer.from([0x66, 0xff]) }, 'not Unicode text'],
    ['an empty name', { name: '' }, 'has no name'],
    ['an unknown compression', { name: 'x', method: 99 }, 'compressed in an unknown way'],
    ['encryption', { name: 'x', method: 8, flags: 0x801 }, 'encrypted'],
    [
      'more than it declares',
      { name: 'x', content: Buffer.alloc(9999), method: 8, claimedSize: 10 },
      '"x": too many bytes',
    ],
    [
      'less than it declares',
      { name: 'x', content: Buffer.alloc(10), method: 8, claimedSize: 99 },
      '"x": not enough bytes',
    ],
    [
      'a stored size that cannot be',
      { name: 'x', content: Buffer.alloc(10), claimedSize: 99 },
      'entry 2: compressed/uncompressed size mismatch',
    ],
  ])('%s is refused, and the entry is named', async (_what, entry, problem) => {
    expect(await refused(rawZip([harmless, entry]))).toContain(problem);
  });

  test('what is found out while the disk takes its time to make the file is refused, too', async () => {
    const { open } = fs.promises;
    const disk = jest
      .spyOn(fs.promises, 'open')
      .mockImplementation((...how) => pause(100).then(() => open(...how)));
    const lying = { name: 'x', content: Buffer.alloc(10), method: 8, claimedSize: 99 };
    expect(await refused(rawZip([harmless, lying]))).toContain('"x": not enough bytes');
    disk.mockRestore();
  });

  test('too many entries, too many bytes and too good a compression are refused before anything is written', async () => {
    const many = rawZip(Array.from({ length: 50 }, (_, index) => ({ name: `f${index}` })));
    expect(await refused(many, { ...KIT_LIMITS, entries: 49 })).toContain('more than 49 entries');
    const large = rawZip([{ name: 'x', content: Buffer.alloc(1000) }]);
    expect(await refused(large, { ...KIT_LIMITS, totalBytes: 999 })).toContain('more than 999 bytes');
    const bomb = rawZip([{ name: 'x', content: Buffer.alloc(80 * 2 ** 20), method: 8 }]);
    expect(await refused(bomb)).toContain('200 times');
  });

  test('entries that an end record hides, or promises in vain, do no harm', async () => {
    expect(await refused(rawZip([harmless], 2))).toMatch(/not acceptable/);
    expect(await refused(rawZip([harmless], 60_000))).toContain('more than 20000 entries');
  });

  test('what is no zip, or half of one, is refused', async () => {
    expect(await refused(Buffer.from('no zip at all'))).toMatch(/not acceptable/);
    expect(await refused(Buffer.alloc(0))).toMatch(/not acceptable/);
    const whole = rawZip([{ name: 'x', content: Buffer.alloc(5000, 'ab'), method: 8 }]);
    expect(await refused(whole.subarray(20))).toMatch(/not acceptable/);
  });

  test('any damage to a kit is refused or harmless: nothing is written outside, nothing half is left', async () => {
    const whole = rawZip([harmless, { name: 'dir/b', content: Buffer.from('bbbb'.repeat(50)), method: 8 }]);
    const at = fc.nat({ max: whole.length - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(at, fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        async (damage) => {
          const zip = Buffer.from(whole);
          for (const [position, byte] of damage) zip[position] = byte;
          const folder = fresh('site');
          await mkdir(folder);
          await writeFile(join(folder, 'kit.zip'), zip);
          const error: unknown = await extractKit(join(folder, 'kit.zip'), join(folder, 'kit')).catch(
            (e: unknown) => e,
          );
          if (error !== undefined) expect(error).toMatchObject({ type: 'KitBroken' });
          expect(await readdir(folder)).toEqual(error === undefined ? ['kit', 'kit.zip'] : ['kit.zip']);
        },
      ),
      { numRuns: 150 },
    );
  });
});
