/**
 * Unpacks a kit. The zip is taken to be hostile: everything that it says of itself is checked before the first byte is
 * written, and what it turns out to hold is checked while it is written.
 */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ApplicationFailure } from '@temporalio/common';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { failure } from '../workflows/errors';
import {
  entriesProblem,
  isFolder,
  KIT_LIMITS,
  sizeProblem,
  type KitEntry,
  type KitLimits,
} from './kit-rules';
import { errorCode, isOfThisMachine, reason } from './reason';

interface ZippedEntry extends KitEntry {
  zipped: Entry;
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const PRIVATE_PROGRAM = 0o700;
/** Names that this file system cannot tell apart, or cannot hold. */
const NAME_ERRORS = ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EILSEQ', 'EINVAL'];

/**
 * Unpacks `zipFile` into `folder`, which only its owner can read. What was in the folder is replaced; the folder is
 * there only when the whole kit is in it.
 * @throws ApplicationFailure `KitBroken`, naming the entry that is not acceptable
 */
export async function extractKit(
  zipFile: string,
  folder: string,
  limits: KitLimits = KIT_LIMITS,
): Promise<void> {
  const partial = `${folder}.part`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: PRIVATE_FOLDER });
    await extractInto(partial, zipFile, limits);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function extractInto(folder: string, zipFile: string, limits: KitLimits): Promise<void> {
  const { size } = await stat(zipFile);
  // Names stay bytes here, so that they are read in one way only; yauzl checks sizes as it inflates.
  const options = { autoClose: false, decodeStrings: false, validateEntrySizes: true };
  const zip = await openPromise(zipFile, options).catch(asBroken);
  try {
    const entries = await readEntries(zip, limits);
    const problem = entriesProblem(entries, limits) ?? sizeProblem(entries, size, limits);
    if (problem !== undefined) throw broken(problem);
    for (const entry of entries) {
      await extractEntry(zip, entry, folder).catch((error: unknown) =>
        asBroken(error, JSON.stringify(entry.name)),
      );
    }
  } finally {
    zip.close();
  }
}

async function readEntries(zip: ZipFile, limits: KitLimits): Promise<ZippedEntry[]> {
  if (zip.entryCount > limits.entries) throw broken(`it has more than ${limits.entries} entries`);
  const entries: ZippedEntry[] = [];
  try {
    for await (const zipped of zip.eachEntry()) {
      const name = decodeName(zipped.fileNameRaw);
      if (!zipped.canDecodeFileData())
        throw broken(`${JSON.stringify(name)} is encrypted or compressed in an unknown way`);
      const { uncompressedSize, externalFileAttributes } = zipped;
      entries.push({ name, size: uncompressedSize, mode: externalFileAttributes >>> 16, zipped });
    }
    return entries;
  } catch (error) {
    return asBroken(error, `entry ${entries.length + 1}`);
  }
}

function decodeName(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken(`${JSON.stringify(bytes.toString('latin1'))} has a name that is not Unicode text`);
  }
}

async function extractEntry(zip: ZipFile, entry: ZippedEntry, folder: string): Promise<void> {
  const path = join(folder, entry.name);
  if (isFolder(entry)) {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
    return;
  }
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  const mode = (entry.mode & 0o100) === 0 ? PRIVATE_FILE : PRIVATE_PROGRAM;
  // Before its content is read: what a hostile zip is found out by would else be an error that nobody waits for yet.
  const file = await open(path, 'wx', mode);
  try {
    await pipeline(await zip.openReadStreamPromise(entry.zipped), file.createWriteStream());
  } finally {
    await file.close();
  }
}

/** What the zip is to blame for; trouble with this machine's files stays what it is. */
function asBroken(error: unknown, what?: string): never {
  const code = errorCode(error);
  const blameless = isOfThisMachine(error) && !NAME_ERRORS.includes(code ?? '');
  if (error instanceof ApplicationFailure || blameless) throw error;
  throw broken(what === undefined ? reason(error) : `${what}: ${reason(error)}`);
}

function broken(problem: string): ApplicationFailure {
  return failure('KitBroken', `The kit's zip is not acceptable: ${problem}`);
}
