/** Runs, as the page asks for them. */
import { queryOptions } from '@tanstack/react-query';
import type { ListRunsResponse } from '../../client/generated/types.gen';
import { api } from './api';

export type RunSummary = ListRunsResponse['runs'][number];

/** The newest runs, which are all that the first page lists. */
export const MOST_RUNS = 50;

export const consortiaQuery = queryOptions({
  queryKey: ['consortia'],
  queryFn: async ({ signal }) => (await api.listConsortia({ signal })).consortia,
});

export const runsQuery = queryOptions({
  queryKey: ['runs'],
  queryFn: async ({ signal }) => (await api.listRuns({ query: { limit: MOST_RUNS }, signal })).runs,
});

export const resultsQuery = (runId: string) =>
  queryOptions({
    queryKey: ['runs', runId, 'results'],
    // Their addresses are good for some minutes.
    gcTime: 0,
    queryFn: ({ signal }) => api.listResults({ path: { runId }, signal }),
  });
