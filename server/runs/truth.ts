/**
 * A run whose workflow was terminated cannot report that it has ended. So before a run is shown as being at work, and has
 * not reported for some seconds, Temporal is asked.
 */
import type { FastifyBaseLogger } from 'fastify';
import { isTerminalRun } from '../../workflows/run-state';
import type { Ending } from '../projection';
import type { Reports } from '../reports';
import type { KnownRun } from './find-run';
import type { Condition, Runs } from './temporal';

/** A run that has just reported is believed. */
const BELIEVED_MS = 5_000;
/** So long Temporal's word is taken for true. */
const CHECKED_MS = 10_000;
const MAX_REMEMBERED = 10_000;

export interface Truth {
  /** Corrects what is known of a run that has not reported for a while; answers whether that has changed. */
  check(run: KnownRun): Promise<boolean>;
  /** The same of any run, at once. @throws HttpProblem when Temporal does not answer */
  correct(run: KnownRun): Promise<boolean>;
}

export function createTruth({
  temporal,
  reports,
  log,
}: {
  temporal: Runs;
  reports: Reports;
  log: FastifyBaseLogger;
}): Truth {
  const checkedAt = new Map<string, number>();

  function isDue({ runId, state, updatedAt }: KnownRun, now: number): boolean {
    if (isTerminalRun(state) || updatedAt > now - BELIEVED_MS) return false;
    return (checkedAt.get(runId) ?? 0) <= now - CHECKED_MS;
  }

  async function correct(run: KnownRun): Promise<boolean> {
    const condition = await temporal.describe(run.runId);
    if (condition?.open === true) return false;
    await reports.ended(run.runId, run, endingOf(run, condition), condition?.execution);
    checkedAt.delete(run.runId);
    return true;
  }

  return {
    correct,
    async check(run) {
      const now = Date.now();
      if (!isDue(run, now)) return false;
      if (checkedAt.size >= MAX_REMEMBERED) checkedAt.clear();
      checkedAt.set(run.runId, now);
      try {
        return await correct(run);
      } catch (err) {
        log.warn({ err, runId: run.runId }, 'cannot ask Temporal about a run: its last report stands');
        return false;
      }
    },
  };
}

function endingOf({ handedOver }: KnownRun, condition: Condition | undefined): Ending {
  if (condition?.open === false) return condition.ending;
  const reason = handedOver
    ? 'Temporal does not know this run any more: its history was deleted.'
    : 'The run was never handed to Temporal: send the same request again, with the same Idempotency-Key.';
  return { state: 'failed', at: Date.now(), reason };
}
