/** Follows a run's events through restarts of the central API, without a gap and without saying anything twice. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ErrorEntry, RunEvent } from '../workflows/api-contract';
import { NodeView, RunView } from '../workflows/contract';
import type { CentralApi } from './central-api';
import { ApiUnreachable, mayPass, networkReason } from './errors';
import { readMessages, type StreamMessage } from './event-stream';

/** A {@link RunEvent} with its data understood. */
const FollowedEvent = z.discriminatedUnion('type', [
  RunEvent.extend({ type: z.literal('run'), data: RunView }),
  RunEvent.extend({ type: z.literal('node'), data: NodeView }),
  RunEvent.extend({ type: z.literal('error'), data: ErrorEntry }),
  RunEvent.extend({ type: z.enum(['CentralClientStartRun', 'EdgeClientStartRun']) }),
]);
export type FollowedEvent = z.output<typeof FollowedEvent>;

export interface FollowOptions {
  /** Ends the following, quietly. */
  signal: AbortSignal;
  /** Events up to this one are known already. */
  lastEventId?: number;
  /** A connection on which nothing came for so long, not even the server's heartbeat, is taken for dead. */
  silenceMs?: number;
}

const EVENTS = 'the events stream';
const SILENCE_MS = 90_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The events of a run, from the first or from after `lastEventId`, until `signal` is aborted or the caller leaves.
 * @throws ApiProblem when the API refuses, which trying again would not change.
 */
export async function* followRun(
  api: Pick<CentralApi, 'openRunEvents'>,
  runId: string,
  { signal, lastEventId, silenceMs = SILENCE_MS }: FollowOptions,
): AsyncGenerator<FollowedEvent> {
  let last = lastEventId;
  let pauseMs = FIRST_PAUSE_MS;
  const left = () => signal.aborted;
  while (!left()) {
    try {
      for await (const message of connect(api, runId, last, silenceMs, signal)) {
        pauseMs = FIRST_PAUSE_MS;
        const event = readEvent(message);
        if (last !== undefined && event.id <= last) continue;
        last = event.id;
        yield event;
      }
    } catch (error) {
      if (!left() && !mayPass(error)) throw error;
    }
    await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** One connection's messages. It ends with the server, or throws {@link ApiUnreachable} when it breaks or falls silent. */
async function* connect(
  api: Pick<CentralApi, 'openRunEvents'>,
  runId: string,
  lastEventId: number | undefined,
  silenceMs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new ApiUnreachable(EVENTS, `no event or heartbeat for ${silenceMs} ms`));
  }, silenceMs);
  try {
    const bytes = await api.openRunEvents(runId, lastEventId, AbortSignal.any([signal, silence.signal]));
    yield* readMessages(heard(bytes, () => timer.refresh()));
  } finally {
    clearTimeout(timer);
  }
}

async function* heard(bytes: ReadableStream<Uint8Array>, onChunk: () => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of bytes) {
      onChunk();
      yield chunk;
    }
  } catch (error) {
    throw error instanceof ApiUnreachable ? error : new ApiUnreachable(EVENTS, networkReason(error));
  }
}

function readEvent(message: StreamMessage): FollowedEvent {
  try {
    return FollowedEvent.parse(JSON.parse(message.data));
  } catch (error) {
    throw new Error(
      'The central API sent an event that this version of Muster does not know: update the older one.',
      {
        cause: error,
      },
    );
  }
}
