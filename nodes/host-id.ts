/**
 * Whose a container is, where several workers share one engine: each worker's state folder has an id of its own, made
 * once, which stands on all that the worker makes there.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from './error-code';
import { writeNew } from './write-new';

const HostId = z.uuid();

/** The id of a state folder; made if there is none yet. */
export async function hostIdOf(stateDir: string): Promise<string> {
  const file = join(stateDir, 'host-id');
  const kept = await read(file);
  if (kept !== undefined) return kept;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeNew(file, randomUUID());
  return hostIdOf(stateDir);
}

async function read(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const id = HostId.safeParse(text.trim());
  if (id.success) return id.data;
  throw new Error(
    `${file} is damaged: it does not hold an id. Remove it once no container of this host runs.`,
  );
}
