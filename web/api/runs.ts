/** Runs, as the page asks for them. */
import { queryOptions } from '@tanstack/react-query';
import {
  ConsortiumList,
  ResultList,
  RunDetail,
  RunList,
  StartedRun,
  type RetryRunBody,
} from '../../workflows/api-contract';
import { ask, call, segment, type Call } from './client';

/** The newest runs, which are all that the first page lists. */
export const MOST_RUNS = 50;

export const consortiaQuery = () =>
  queryOptions({
    queryKey: ['consortia'],
    queryFn: async ({ signal }) =>
      (await ask(ConsortiumList, 'a list of consortia', 'consortia', { signal })).consortia,
  });

export const runsQuery = () =>
  queryOptions({
    queryKey: ['runs'],
    queryFn: async ({ signal }) =>
      (await ask(RunList, 'a list of runs', `runs?limit=${MOST_RUNS}`, { signal })).runs,
  });

export const readRun = (runId: string, options?: Call): Promise<RunDetail> =>
  ask(RunDetail, 'a run', `runs/${segment(runId)}`, options);

export const resultsQuery = (runId: string) =>
  queryOptions({
    queryKey: ['runs', runId, 'results'],
    // The addresses are good for some minutes.
    gcTime: 0,
    queryFn: ({ signal }) =>
      ask(ResultList, 'a list of results', `runs/${segment(runId)}/results`, { signal }),
  });

/** Starts a run; the same `key` gives the same run. */
export const startRun = (
  consortiumId: string,
  key: string,
  parameters?: Record<string, unknown>,
): Promise<StartedRun> =>
  ask(StartedRun, 'an answer to Start Run', `consortia/${segment(consortiumId)}/runs`, {
    method: 'POST',
    headers: { 'idempotency-key': key },
    body: parameters === undefined ? {} : { parameters },
  });

export async function stopRun(runId: string, reason: string | undefined): Promise<void> {
  await call(`runs/${segment(runId)}/stop`, {
    method: 'POST',
    body: reason === undefined ? {} : { reason },
  });
}

export async function retryRun(runId: string, key: string, body: RetryRunBody): Promise<void> {
  await call(`runs/${segment(runId)}/retry`, { method: 'POST', headers: { 'idempotency-key': key }, body });
}

/** Lets this browser have histories opened in Temporal's Web UI. */
export async function passToCodec(): Promise<void> {
  await call('codec/pass', { method: 'POST' });
}
