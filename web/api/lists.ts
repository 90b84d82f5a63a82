/** The lists that pages show, as they are asked for. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type {
  ConsortiumView,
  GetSiteResponse,
  ListRunsData,
  ListRunsResponse,
  ListWaitingResponse,
  SiteView,
} from '../../client/generated/types.gen';
import { RUN_STATES, TERMINAL_RUN_STATES } from '../../workflows/contract';
import { api, tagOf } from './api';

export type RunSummary = ListRunsResponse['runs'][number];
export type WaitingItem = ListWaitingResponse['waiting'][number];
export type SiteDetail = GetSiteResponse;
export type { ConsortiumView, SiteView };

const PAGE = 25;
/** More runs at work than anybody looks through. */
const MOST_UNDER_WAY = 100;

/** All that are under way, the newest first. */
export const underWayQuery = queryOptions({
  queryKey: ['runs', 'under way'],
  queryFn: async ({ signal }) => {
    const states = RUN_STATES.filter((state) => !TERMINAL_RUN_STATES.includes(state));
    const pages = await Promise.all(
      states.map((state) => api.listRuns({ query: { state, limit: MOST_UNDER_WAY }, signal })),
    );
    return pages.flatMap(({ runs }) => runs).sort((a, b) => b.startedAt - a.startedAt);
  },
});

/** Runs, a page after the other. */
export const runsQuery = (which: Pick<NonNullable<ListRunsData['query']>, 'consortium' | 'site' | 'state'>) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'list', which],
    queryFn: ({ pageParam, signal }) =>
      api.listRuns({
        query: { ...which, limit: PAGE, ...(pageParam !== undefined && { after: pageParam }) },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });

export const waitingQuery = queryOptions({
  queryKey: ['waiting'],
  queryFn: async ({ signal }) => (await api.listWaiting({ signal })).waiting,
});

export const consortiaQuery = queryOptions({
  queryKey: ['consortia'],
  queryFn: async ({ signal }) => (await api.listConsortia({ signal })).consortia,
});

/** A consortium, and what a change of it names as what was looked at. */
export const consortiumQuery = (consortiumId: string) =>
  queryOptions({
    queryKey: ['consortia', consortiumId],
    queryFn: async ({ signal }) => {
      const consortium = await api.getConsortium({ path: { consortiumId }, signal });
      return { consortium, tag: tagOf(`/api/consortia/${consortiumId}`) };
    },
  });

export const changesQuery = (consortiumId: string) =>
  infiniteQueryOptions({
    queryKey: ['consortia', consortiumId, 'changes'],
    queryFn: ({ pageParam, signal }) =>
      api.listChanges({
        path: { consortiumId },
        query: pageParam === undefined ? {} : { after: pageParam },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
  });

/** Whether each site would let a run in as it is now, as the site says it. */
export const readinessQuery = (consortiumId: string) =>
  queryOptions({
    queryKey: ['sites', 'readiness', consortiumId],
    queryFn: ({ signal }) => api.getConsortiumReadiness({ path: { consortiumId }, signal }),
  });

export const siteQuery = (siteId: string) =>
  queryOptions({
    queryKey: ['sites', siteId],
    queryFn: ({ signal }) => api.getSite({ path: { siteId }, signal }),
  });

export const consortiumPeopleQuery = (consortiumId: string) =>
  queryOptions({
    queryKey: ['people', 'consortium', consortiumId],
    queryFn: async ({ signal }) =>
      (await api.listConsortiumPeople({ path: { consortiumId }, signal })).people,
  });

export const sitePeopleQuery = (siteId: string) =>
  queryOptions({
    queryKey: ['people', 'site', siteId],
    queryFn: async ({ signal }) => (await api.listSitePeople({ path: { siteId }, signal })).people,
  });

export const sitesQuery = queryOptions({
  queryKey: ['sites'],
  queryFn: async ({ signal }) => (await api.listSites({ signal })).sites,
});

export const computationsQuery = queryOptions({
  queryKey: ['computations'],
  queryFn: async ({ signal }) => (await api.listComputations({ signal })).computations,
});

export const invitationsQuery = queryOptions({
  queryKey: ['people', 'invitations'],
  queryFn: async ({ signal }) => (await api.listInvitations({ signal })).invitations,
});
