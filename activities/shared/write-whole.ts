/** Small private files that are read again after a crash, or by others while they are written. */
import { randomUUID } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { errorCode } from '../../nodes/error-code';

/** Replaces a file as a whole: a reader sees the old content or the new, never half. Only its owner may read it. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const half = `${file}.${randomUUID()}`;
  await writeFile(half, content, { mode: 0o600 });
  await rename(half, file);
}

/** Writes a file as a whole where there is none; one that is there stays. */
export async function writeNew(file: string, content: string): Promise<void> {
  const half = `${file}.${randomUUID()}`;
  await writeFile(half, content, { mode: 0o600 });
  try {
    await link(half, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(half, { force: true });
  }
}
