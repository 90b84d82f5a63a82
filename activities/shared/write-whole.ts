/** Small private files that are read again after a crash, or by others while they are written. */
import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';

/** Replaces a file as a whole: a reader sees the old content or the new, never half. Only its owner may read it. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const half = `${file}.${randomUUID()}`;
  await writeFile(half, content, { mode: 0o600 });
  await rename(half, file);
}
