/** A run as it happens. */
import { useEffect, useState } from 'react';
import { RunEvent, type RunDetail } from '../../workflows/api-contract';
import { api, segment } from '../api/api';
import { fromDetail, withEvent, type RunModel } from '../model';
import { connection, stayConnected } from './connection';
import { readEvents, SILENCE_MS } from './events';

/** Events that come together are drawn together. */
const TOGETHER_MS = 50;

export interface LiveRun {
  model: RunModel | undefined;
  links: RunDetail['links'] | undefined;
  /** Why it cannot be followed, now or ever. */
  failure: unknown;
}

const NOTHING: LiveRun = { model: undefined, links: undefined, failure: undefined };

/** Follows the run for as long as it is shown; a component follows one. */
export function useLiveRun(runId: string): LiveRun {
  const [live, setLive] = useState(NOTHING);
  useEffect(() => {
    const leave = new AbortController();
    followRun(runId, leave.signal, setLive).catch((failure: unknown) => {
      if (!leave.signal.aborted) setLive({ ...NOTHING, failure });
    });
    return () => {
      leave.abort();
      connection.set({ state: 'none' });
    };
  }, [runId]);
  return live;
}

async function followRun(runId: string, signal: AbortSignal, show: (live: LiveRun) => void): Promise<void> {
  let model: RunModel | undefined;
  let links: RunDetail['links'] | undefined;
  let lastEventId = 0;
  const showSoon = gathered(() => {
    if (!signal.aborted) show({ model, links, failure: undefined });
  });

  await stayConnected(
    async (heard) => {
      if (model === undefined) {
        const detail = await api.getRun({ path: { runId }, signal });
        model = fromDetail(detail);
        ({ links, lastEventId } = detail);
        if (!signal.aborted) show({ model, links, failure: undefined });
      }
      const path = `/api/runs/${segment(runId)}/events`;
      const stream = await api.openStream(path, signal, String(lastEventId));
      heard();
      for await (const { data } of readEvents(stream, RunEvent, SILENCE_MS, heard)) {
        model = withEvent(model, data);
        lastEventId = data.id;
        showSoon();
      }
    },
    connection.set,
    signal,
  );
}

/** `act`, once for all the calls that come within a moment. */
function gathered(act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, TOGETHER_MS);
  };
}
