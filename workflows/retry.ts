/** Retry policies in the terms that people set: for how long a failure may still be mended. */
import type { RetryPolicy } from '@temporalio/common';
import { toMilliseconds, type Duration } from './contract';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Retries with growing pauses (1 s up to 30 s) until about `window` has gone by in pauses, then gives up. Counting
 * attempts, not time from scheduling, gives a site that was offline for long the whole window once it is back.
 */
export function retryFor(window: Duration): RetryPolicy {
  return { ...endlessRetry, maximumAttempts: 1 + pausesWithin(toMilliseconds(window)) };
}

/** Retries until it succeeds: for work that is right to do however late it comes. */
export const endlessRetry: RetryPolicy = {
  initialInterval: FIRST_PAUSE_MS,
  backoffCoefficient: 2,
  maximumInterval: LONGEST_PAUSE_MS,
};

/** How many pauses of the policy it takes to fill `window` milliseconds. */
export function pausesWithin(window: number): number {
  let pause = FIRST_PAUSE_MS;
  let count = 0;
  for (let passed = 0; passed < window; passed += pause, pause = Math.min(pause * 2, LONGEST_PAUSE_MS))
    count += 1;
  return count;
}
