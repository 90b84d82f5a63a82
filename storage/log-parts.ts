/**
 * A node's log in the object store: parts of one gzip file, each an object that is written once and named by the offset
 * at which it begins. What a site sends is read before it is kept, so that whoever reads it later is not surprised.
 */
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/common';
import { MAX_LOG_PART_TEXT } from '../workflows/api-contract';
import { logPartKey, logPrefix, type NodeRef } from '../workflows/contract';
import type { ObjectStore } from './object-store';

const decompress = promisify(gunzip);

/** What was sent is not whole gzip members, or more text than a part may have. */
export class BrokenLogPart extends Error {
  override name = 'BrokenLogPart';
}

export interface LogPart {
  /** Where the next part begins. */
  next: number;
  text: Buffer;
}

/**
 * Keeps a part of a log, unless there is one at `start`: that one stays, and its end is what the answer names.
 * @returns where the next part begins
 * @throws BrokenLogPart
 */
export async function putLogPart(
  store: ObjectStore,
  { runId, launchId, node }: NodeRef,
  start: number,
  bytes: Buffer,
): Promise<number> {
  const key = logPartKey(runId, launchId, node, start);
  const known = await store.stat(key);
  if (known !== undefined) return start + known.size;
  await textOf(bytes);
  try {
    await store.putOnce(key, bytes);
    return start + bytes.length;
  } catch (error) {
    // Another attempt was faster, with another end.
    const other = error instanceof ApplicationFailure && error.type === 'KitBroken';
    const first = other ? await store.stat(key) : undefined;
    if (first === undefined) throw error;
    return start + first.size;
  }
}

/** The parts of a log from the one at `start` on, as far as there are any now. */
export async function* readLogParts(
  store: ObjectStore,
  { runId, launchId, node }: NodeRef,
  start = 0,
): AsyncGenerator<LogPart> {
  const before = start === 0 ? undefined : logPartKey(runId, launchId, node, start - 1);
  for (const { key, size } of await store.list(logPrefix(runId, launchId, node), before)) {
    const [, at] = /\/(\d+)\.gz$/.exec(key) ?? [];
    if (at === undefined) continue;
    yield { next: Number(at) + size, text: await textOf(await buffer(await store.getStream(key))) };
  }
}

async function textOf(bytes: Buffer): Promise<Buffer> {
  try {
    return await decompress(bytes, { maxOutputLength: MAX_LOG_PART_TEXT });
  } catch (error) {
    throw new BrokenLogPart(error instanceof Error ? error.message : String(error));
  }
}
