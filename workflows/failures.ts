/** Turns what Temporal throws into the errors of the run's vocabulary. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure, isCancellation } from '@temporalio/workflow';
import { TimeoutType } from '@temporalio/common';
import type { z } from 'zod';
import { ErrorSignal } from './contract';
import { isFailureType, isWait, type FailureType } from './errors';

/** Of an error. */
export const LONGEST_MESSAGE = 4000;
const REFUSALS: readonly FailureType[] = ['ComputationNotAllowed', 'RunRefused', 'ManifestRefused'];

/**
 * What an activity's failure means for `node`: the error to report, and whether it failed, was refused by its site, or
 * fell silent. `silent` says what silence means in this phase.
 */
export function nodeFailure(node: string, error: unknown, silent: string): Omit<ErrorSignal, 'launchId'> {
  const phase = error instanceof ActivityFailure ? error.activityType : 'workflow';
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    return {
      state: 'lost',
      error: { node, phase, type: 'SiteSilent', message: timeoutMessage(cause, silent) },
    };
  }
  const type =
    cause instanceof ApplicationFailure && cause.type && isFailureType(cause.type) ? cause.type : 'Internal';
  return {
    state: REFUSALS.includes(type) ? 'refused' : type === 'NodeLost' ? 'lost' : 'failed',
    error: { node, phase, type, message: messageOf(cause) },
    ...(cause instanceof ApplicationFailure && endOf(cause)),
  };
}

/** Whether `error` says that an activity used up its attempts on waiting for its site to let the run go on. */
export function wasWaiting(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && isWait(cause.type);
}

/** Whether `error` says that the activity was cancelled, rather than that it failed. */
export function wasCancelled(error: unknown): boolean {
  return isCancellation(error);
}

function timeoutMessage(timeout: TimeoutFailure, silent: string): string {
  return timeout.timeoutType === TimeoutType.SCHEDULE_TO_START
    ? silent
    : `${silent} (${timeout.timeoutType})`;
}

/** What came of an activity that nobody tries any more, in a sentence. */
export function lastWords(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof TimeoutFailure)) return messageOf(cause);
  const last = cause.cause;
  return last instanceof ApplicationFailure ? messageOf(last) : 'No central worker took it in time.';
}

function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.slice(0, LONGEST_MESSAGE);
}

/** How the node ended, where a failure is about that; see superviseNode. */
const NodeEnd = ErrorSignal.pick({ exitCode: true, endedAt: true, origin: true, scope: true }).strip();

function endOf({ details }: ApplicationFailure): z.output<typeof NodeEnd> {
  return NodeEnd.safeParse(details?.[0]).data ?? {};
}
