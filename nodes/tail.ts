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
