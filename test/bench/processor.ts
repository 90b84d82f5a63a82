/** What processor time a process has used. */
import { readFile } from 'node:fs/promises';

/** Of the kernel's clock, on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds that the process has computed since it started, its own and the kernel's for it. */
export async function processorSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name before it may hold anything, also brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
