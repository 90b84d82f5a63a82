/** What is known of the attempt under way: why it was interrupted, and whether another one follows a failure. */
import type { Context, Info } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { isWait } from '../../workflows/errors';

/**
 * - `cancelled`: the workflow no longer wants the activity
 * - `shutdown`: this worker ends, and the next one goes on with the activity
 * - `abandoned`: the server no longer waits for this attempt, though it may for another one: it timed out, the activity
 *   was paused or reset, or its workflow is gone
 */
export type Interruption = 'cancelled' | 'shutdown' | 'abandoned';

/** Why the attempt is to end before it is done; `undefined` while it is not. */
export function interruptionOf({ cancellationSignal }: Context): Interruption | undefined {
  if (!cancellationSignal.aborted) return undefined;
  const reason: unknown = cancellationSignal.reason;
  // The SDK tells the reasons apart by this text.
  const text = reason instanceof CancelledFailure ? reason.message : undefined;
  if (text === 'CANCELLED') return 'cancelled';
  return text === 'WORKER_SHUTDOWN' ? 'shutdown' : 'abandoned';
}

/** Whether another attempt is made after this one failed with `error`. */
export function willRetry({ attempt, retryPolicy }: Info, error: unknown): boolean {
  if (error instanceof ApplicationFailure && error.nonRetryable === true) return false;
  // Its run takes the step anew when the attempts are used up.
  if (error instanceof ApplicationFailure && isWait(error.type)) return true;
  return attempt < (retryPolicy?.maximumAttempts || Infinity);
}
