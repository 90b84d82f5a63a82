/** Packs a node's kit: a folder becomes a sealed zip whose bytes depend on nothing but the folder's content and the key. */
import { lstat, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { failure } from '../workflows/errors';
import { DigestStream, type Digest } from './digest';
import { SealStream, TAG_BYTES } from './kit-cipher';
import { entriesProblem, isFolder, KIT_LIMITS, sizeProblem, type KitEntry } from './kit-rules';
import { MAX_OBJECT_BYTES } from './object-store';

interface PackedEntry extends KitEntry {
  path: string;
}

// Local time, as the zip format has it: the same digits in every time zone.
const FIXED_TIME = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true };
const FOLDER_MODE = 0o40755;
/**
 * Files between these sizes are texts, which get smaller. On a tiny one, setting a compressor up takes longer than
 * everything else; large ones are weights and the like, on which the time would be lost.
 */
const COMPRESSED = { from: 16 * 2 ** 10, to: 8 * 2 ** 20 };
const compressionLevel = (size: number): number => (size >= COMPRESSED.from && size <= COMPRESSED.to ? 1 : 0);

/**
 * Packs `folder` into `file` (0600), streaming, sealed with `key`; {@link openKit} gives the zip. The same folder and key
 * give the same bytes: names are sorted, times are fixed, permission bits are kept.
 * @throws ApplicationFailure `ProvisionFailed` when the folder holds what may not be in a kit
 */
export async function packKit(folder: string, file: string, key: Buffer): Promise<Digest> {
  const root = await lstat(folder).catch(() => undefined);
  if (root?.isDirectory() !== true) refuse(folder, 'it is not a folder');
  const entries: PackedEntry[] = [];
  await collect(folder, '', entries);
  refuse(folder, entriesProblem(entries, KIT_LIMITS));
  const digest = await writeZip(entries, file, key);
  refuse(folder, sizeProblem(entries, digest.size - TAG_BYTES, KIT_LIMITS));
  if (digest.size > MAX_OBJECT_BYTES)
    refuse(folder, `it has more than ${MAX_OBJECT_BYTES} bytes when it is packed`);
  return digest;
}

/** Adds everything below `prefix`, each folder before what is in it. */
async function collect(root: string, prefix: string, entries: PackedEntry[]): Promise<void> {
  const names = (await readdir(join(root, prefix))).sort();
  for (const name of names) {
    const path = join(root, prefix, name);
    const stats = await lstat(path);
    if (stats.isDirectory()) {
      const folder = `${prefix}${name}/`;
      entries.push({ name: folder, path, size: 0, mode: FOLDER_MODE });
      await collect(root, folder, entries);
    } else if (stats.isFile()) {
      entries.push({ name: prefix + name, path, size: stats.size, mode: (stats.mode & 0o777) | 0o100000 });
    } else {
      refuse(root, `${JSON.stringify(prefix + name)} is a link or a special file`);
    }
  }
}

async function writeZip(entries: readonly PackedEntry[], file: string, key: Buffer): Promise<Digest> {
  const zip = new ZipFile();
  const stop = new AbortController();
  zip.on('error', (error: Error) => stop.abort(error));
  for (const entry of entries) {
    if (isFolder(entry)) zip.addEmptyDirectory(entry.name, { ...FIXED_TIME, mode: entry.mode });
    else
      zip.addFile(entry.path, entry.name, {
        ...FIXED_TIME,
        mode: entry.mode,
        compressionLevel: compressionLevel(entry.size),
      });
  }
  zip.end();
  const digest = new DigestStream();
  await rm(file, { force: true });
  const target = (await open(file, 'wx', 0o600)).createWriteStream();
  const { signal } = stop;
  await pipeline(zip.outputStream, new SealStream(key), digest, target, { signal }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw error;
    },
  );
  return digest.digest();
}

function refuse(folder: string, problem: string | undefined): void {
  if (problem === undefined) return;
  throw failure('ProvisionFailed', `${folder} cannot be made a kit: ${problem}`);
}
