/** The processes that a process has started, and that they have started. */
import { readFile, readdir } from 'node:fs/promises';

/** Their pids. */
export async function descendants(root: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const parents = new Map(await Promise.all(pids.map(async (pid) => [pid, await parentOf(pid)] as const)));
  const below = (parent: number): number[] =>
    pids.filter((pid) => parents.get(pid) === parent).flatMap((pid) => [pid, ...below(pid)]);
  return below(root);
}

async function parentOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before it may hold anything, also brackets.
  const [, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return parent === undefined ? undefined : Number(parent);
}
