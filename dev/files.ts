/** Small files that are read by others while we write them: a reader sees the old content or the new, never half. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../nodes/error-code';

/** Only their owner may read them. */
export const PRIVATE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Replaces a file as a whole. */
export async function writeWhole(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  const next = `${path}.${randomUUID()}`;
  try {
    await writeFile(next, content, { mode });
    await rename(next, path);
  } finally {
    await rm(next, { force: true });
  }
}

/** A file's content, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
