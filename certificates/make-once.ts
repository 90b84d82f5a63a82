/** What an instance makes once and keeps: its keys, and what belongs to them. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Sees to it that there is a folder, with the files that `make` says if it has to be made. Only their owner may read them.
 * The folder appears as a whole: of several processes that make it at once, all find what the first one made.
 */
export async function makeOnce(
  folder: string,
  make: () => Promise<Readonly<Record<string, string>>>,
): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(unfinished, { mode: 0o700 });
    for (const [name, content] of Object.entries(await make()))
      await writeFile(join(unfinished, name), content, { mode: 0o600, flush: true });
    await rename(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
