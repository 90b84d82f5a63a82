/** Waiting for what comes in its own time: how long that may take, the test's time limit says. */
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

/** Resolves to the first answer that is neither `undefined` nor `false`. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await pause(LOOK_EVERY_MS);
  }
}
