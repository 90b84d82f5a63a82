/** Reading a log: its end, whatever its size, or all of it as it grows. */
import { open } from 'node:fs/promises';
import type { LogPiece } from './node-runtime';

const MAX_BYTES = 1024 * 1024;

/** The last mebibyte of a file, or less; nothing if there is no such file. */
export async function tailOf(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const length = Math.min(size, MAX_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}

/** The last `count` lines of a text. */
export function lastLines(text: string, count: number): string {
  if (count <= 0) return '';
  const lines = text.split('\n');
  const ended = lines.at(-1) === '' ? 1 : 0;
  return lines.slice(-(count + ended)).join('\n');
}

const CHUNK_BYTES = 64 * 1024;

/**
 * What is in a file from `offset` on and what is added to it, until `hasEnded` has said that nothing follows.
 * @param pause called when there is nothing more for now
 */
export async function* followFile(
  file: string,
  offset: number,
  hasEnded: () => boolean,
  pause: () => Promise<void>,
): AsyncGenerator<LogPiece> {
  await using handle = await open(file);
  for (let at = offset; ;) {
    // Asked before the file is read: what was written before the end is found then.
    const isLast = hasEnded();
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at);
    at += bytesRead;
    if (bytesRead > 0) yield { bytes: buffer.subarray(0, bytesRead), cursor: String(at) };
    else if (isLast) return;
    else await pause();
  }
}

const FRAME_HEADER = 8;

/** The text of a container's log, in which the engine puts a header of stream and length before each piece. */
export function demultiplexed(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + FRAME_HEADER <= log.length;) {
    const length = log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + FRAME_HEADER, at + FRAME_HEADER + length));
    at += FRAME_HEADER + length;
  }
  return Buffer.concat(pieces).subarray(-MAX_BYTES).toString('utf8');
}
