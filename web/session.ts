/** Who is signed in in this browser: by the cookie of a session, which a link with an operator's token makes too. */
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { createMusterApi } from '../client/muster-api';
import { ApiProblem } from '../client/errors';
import type { Me } from '../workflows/people-contract';
import { api, onRefused } from './api/api';
import { mayPass } from './api/errors';

/** What is kept of the API's answers; changes that are told make them stale. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: (failures, error) => failures < 3 && mayPass(error), staleTime: 30_000 },
  },
});

const FRAGMENT = /^#token=(.+)$/;
let linked: string | undefined;
let wasLinkRefused = false;

/** Looks for a token in the address, and takes it out of the address bar and the history. */
export function takeToken(): void {
  const [, token] = FRAGMENT.exec(location.hash) ?? [];
  if (token === undefined) return;
  linked = decodeURIComponent(token);
  history.replaceState(history.state, '', location.pathname + location.search);
}

/** Calls `listener` when a link with a token is opened in this tab. */
export function onNewToken(listener: () => void): void {
  addEventListener('hashchange', () => {
    if (FRAGMENT.test(location.hash)) listener();
  });
}

/** Whether the link that was opened did not sign anybody in. */
export const linkRefused = (): boolean => wasLinkRefused;

/** Who is signed in; `null`: nobody. */
export const meQuery = queryOptions<Me | null>({
  queryKey: ['me'],
  staleTime: Infinity,
  retry: (_failures, error) => mayPass(error),
  retryDelay: (failures) => Math.min(500 * 2 ** failures, 10_000),
  queryFn: async () => {
    const token = linked;
    try {
      if (token !== undefined) await createMusterApi({ url: '', token }).signInAsOperator();
    } catch (error) {
      if (!(error instanceof ApiProblem) || mayPass(error)) throw error;
      wasLinkRefused = true;
    }
    linked = undefined;
    try {
      return await api.getMe();
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
});

/** Begins anew as `me`: nothing of who was here before is kept. */
export function become(me: Me | null): void {
  wasLinkRefused = false;
  const [ofMe] = meQuery.queryKey;
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey.length > 1 || queryKey[0] !== ofMe });
  queries.setQueryData(meQuery.queryKey, me);
}

onRefused(() => {
  const me = queries.getQueryData(meQuery.queryKey);
  if (me) become(null);
});

const MeContext = createContext<Me | undefined>(undefined);
export const MeProvider = MeContext.Provider;

/** Who is signed in. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('nobody is signed in here');
  return me;
}
