/**
 * A lock that one process at a time owns, and that is free again however its owner ended. It is the newest of the
 * numbered files `<path>.<n>`, which says who owns it. Whoever finds that owner gone makes the next file: only one can,
 * where taking an abandoned file away would also take away the lock of somebody faster.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../nodes/error-code';
import { isRunning } from '../nodes/process-table';
import { readIfThere, writeWhole } from './files';
import { ProcessIdentity, self } from './process-identity';

const RETRY_MS = 20;
const NOBODY = '{}';

export interface Lock {
  release(): Promise<void>;
}

/** The lock, or the process that owns it. */
export async function tryLock(path: string): Promise<Lock | { owner: ProcessIdentity }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const claim = `${path}-${randomUUID()}`;
  await writeFile(claim, JSON.stringify(await self()));
  try {
    for (;;) {
      const newest = Math.max(0, ...(await numbers(path)));
      const owner = await ownerOf(`${path}.${newest}`);
      if (owner !== undefined && (await isRunning(owner))) return { owner };
      const mine = `${path}.${newest + 1}`;
      if (await isMade(link(claim, mine))) {
        const others = (await numbers(path)).filter((number) => number !== newest + 1);
        if (others.every((number) => number <= newest)) {
          await Promise.all(others.map((number) => rm(`${path}.${number}`, { force: true })));
          return { release: () => writeWhole(mine, NOBODY) };
        }
        // So slow that newer ones have come, and perhaps gone, in the meantime.
        await rm(mine, { force: true });
      }
    }
  } finally {
    await rm(claim, { force: true });
  }
}

/** Does something while owning the lock, waiting for it as long as it takes. */
export async function locked<T>(path: string, action: () => Promise<T>): Promise<T> {
  for (;;) {
    const lock = await tryLock(path);
    if (!('owner' in lock)) return await action().finally(() => lock.release());
    await delay(RETRY_MS);
  }
}

async function numbers(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix));
  return names.map((name) => Number(name.slice(prefix.length))).filter(Number.isInteger);
}

async function ownerOf(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return ProcessIdentity.parse(JSON.parse((await readIfThere(file)) ?? NOBODY));
  } catch {
    return undefined;
  }
}

function isMade(file: Promise<void>): Promise<boolean> {
  return file.then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    },
  );
}
