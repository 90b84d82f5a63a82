/** Waiting for what comes in its own time, and for an API that may be away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass } from '../../client';

const LOOK_EVERY_MS = 250;
/** A call is made again for so long. */
const PATIENCE_MS = 120_000;

/** What an API that may be away says in the end. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    try {
      return await call();
    } catch (error) {
      if (!mayPass(error) || Date.now() > deadline) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** The first answer that is not `undefined`; rejects when none came in time. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const deadline = Date.now() + withinMs; ;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
