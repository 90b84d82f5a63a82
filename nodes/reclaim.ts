/**
 * Makes what a node left the worker's again. A node runs as its worker's user, but may take away permissions; a worker that
 * is not root could then neither read the results nor remove the rest.
 */
import { chmod, lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './error-code';

/** Lets the worker read everything below `path`, and remove it. Links are left alone, and so is what is not its own. */
export async function reclaim(path: string): Promise<void> {
  const user = process.geteuid?.();
  // Permissions do not bind root.
  if (user === undefined || user === 0) return;
  const open = [path];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = await lstat(next).catch(() => undefined);
    if (found?.uid !== user) continue;
    const wanted = found.isDirectory() ? 0o700 : found.isFile() ? 0o400 : 0;
    if ((found.mode & wanted) !== wanted)
      await chmod(next, (found.mode & 0o777) | wanted).catch(() => undefined);
    if (!found.isDirectory()) continue;
    for await (const { name } of await opendir(next)) open.push(join(next, name));
  }
}

/** Removes a file or a folder that a node had, if it is there. */
export async function removeOwn(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(errorCode(error) ?? '')) throw error;
    await reclaim(path);
    await rm(path, { recursive: true, force: true });
  }
}
