/** What memory a process holds. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const MiB = 2 ** 20;

/** Bytes that the process has resident now. */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
}
