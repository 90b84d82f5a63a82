/** A file that one process at a time owns, and that is free again however its owner ended. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from '../nodes/process-table';
import { ProcessIdentity, self } from './process-identity';

const RETRY_MS = 20;

export interface Lock {
  release(): Promise<void>;
}

/** The lock, or the process that owns it. */
export async function tryLock(path: string): Promise<Lock | { owner: ProcessIdentity }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const claim = `${path}.${randomUUID()}`;
  await writeFile(claim, JSON.stringify(await self()));
  try {
    for (;;) {
      // A link appears with its content or not at all, and only where nothing is.
      if (await succeeds(link(claim, path))) return { release: () => rm(path, { force: true }) };
      const owner = await ownerOf(path);
      if (owner !== undefined && (await isRunning(owner))) return { owner };
      await discard(path, `${claim}.stale`);
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

/** Takes the lock of a dead owner away; one that has just got a living owner is put back. */
async function discard(path: string, aside: string): Promise<void> {
  if (!(await succeeds(rename(path, aside)))) return;
  const owner = await ownerOf(aside);
  if (owner !== undefined && (await isRunning(owner))) await succeeds(link(aside, path));
  await rm(aside, { force: true });
}

async function ownerOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}
