/** The end of a log, whatever its size. */
import { open } from 'node:fs/promises';

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
