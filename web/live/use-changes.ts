/** Keeps the lists of a page as they are now: the API tells what has changed, and what is shown of it is asked for again. */
import { useEffect } from 'react';
import { Change } from '../../workflows/changes-contract';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { voice } from '../parts/voice';
import { queries } from '../session';
import { connection, stayConnected } from './connection';
import { readEvents, SILENCE_MS } from './events';

/** Changes that come together lead to one question. */
const TOGETHER_MS = 400;

/** What is told no more of by any other message: all lists that are shown. */
const LISTS = ['runs', 'consortia', 'sites', 'waiting', 'audit', 'people'];

const STALE: Readonly<Record<Change['type'], readonly string[]>> = {
  run: ['runs'],
  site: ['sites'],
  consortium: ['consortia'],
  waiting: ['waiting'],
  'look-again': LISTS,
};

/** For as long as the page is open. */
export function useChanges(): void {
  useEffect(() => {
    const leave = new AbortController();
    follow(leave.signal).catch((error: unknown) => {
      if (!leave.signal.aborted) voice.set(wordsOf(error));
    });
    return () => {
      leave.abort();
      connection.set({ state: 'none' });
    };
  }, []);
}

async function follow(signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  const stale = createStale();
  await stayConnected(
    async (heard) => {
      const stream = await api.openStream('/api/events', signal, last);
      heard();
      for await (const { id, data } of readEvents(stream, Change, SILENCE_MS, heard)) {
        last = id;
        stale(STALE[data.type]);
      }
    },
    connection.set,
    signal,
  );
}

/** Has what is shown of some lists asked for again, once for all that come within a moment. */
function createStale(): (lists: readonly string[]) => void {
  const names = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (lists) => {
    for (const name of lists) names.add(name);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const name of names) void queries.invalidateQueries({ queryKey: [name] });
      names.clear();
    }, TOGETHER_MS);
  };
}
