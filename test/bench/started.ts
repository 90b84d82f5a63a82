/** When user code began to run, by its own account: the nodes' first line says `started <time>`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { timeLimit } from '../../time/limit';

const FIRST_LINE = /\bstarted (\d{4}-\S+Z)/;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 120_000;

/**
 * Milliseconds since the epoch at which the last of these nodes started, once all have.
 * @param logs reads what each node has written so far
 */
export async function lastStart(
  logs: readonly (() => Promise<string>)[],
  given: AbortSignal,
): Promise<number> {
  const signal = AbortSignal.any([given, timeLimit(PATIENCE_MS)]);
  const starts: number[] = [];
  for (const log of logs) starts.push(await startOf(log, signal));
  return Math.max(...starts);
}

async function startOf(log: () => Promise<string>, signal: AbortSignal): Promise<number> {
  for (;;) {
    const [, at] = FIRST_LINE.exec(await log()) ?? [];
    if (at !== undefined) return Date.parse(at);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
