/** Reads an event stream of the central API through lost connections, silence and restarts of the API. */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiUnreachable, mayPass, networkReason } from './errors';
import { readMessages, type StreamMessage } from './event-stream';

export interface StreamOptions {
  /** Ends the following, quietly. */
  signal: AbortSignal;
  /** Messages up to this one are known already. */
  lastEventId?: string;
  /** A connection on which nothing came for so long, not even the server's heartbeat, is taken for dead. */
  silenceMs?: number;
}

/** Of a stream whose messages are numbered. */
export interface FollowOptions extends Omit<StreamOptions, 'lastEventId'> {
  lastEventId?: number;
}

/** The same, for any stream. */
export const streamOptions = ({ lastEventId, ...options }: FollowOptions): StreamOptions => ({
  ...options,
  ...(lastEventId !== undefined && { lastEventId: String(lastEventId) }),
});
export const numberOf = (id: string | undefined): number | undefined =>
  id === undefined ? undefined : Number(id);

/** Opens the stream's bytes, from after `lastEventId`. */
export type OpenStream = (
  lastEventId: string | undefined,
  signal: AbortSignal,
) => Promise<ReadableStream<Uint8Array>>;

const STREAM = 'the events stream';
const SILENCE_MS = 90_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The messages of a stream, none twice, until `signal` is aborted or the caller leaves.
 * @throws ApiProblem when the API refuses, which trying again would not change.
 */
export async function* followStream(
  open: OpenStream,
  { signal, lastEventId, silenceMs = SILENCE_MS }: StreamOptions,
): AsyncGenerator<StreamMessage> {
  let last = lastEventId;
  let pauseMs = FIRST_PAUSE_MS;
  const left = () => signal.aborted;
  while (!left()) {
    try {
      for await (const message of connect(open, last, silenceMs, signal)) {
        pauseMs = FIRST_PAUSE_MS;
        yield message;
        last = message.id;
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
  open: OpenStream,
  lastEventId: string | undefined,
  silenceMs: number,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new ApiUnreachable(STREAM, `no event or heartbeat for ${silenceMs} ms`));
  }, silenceMs);
  try {
    const bytes = await open(lastEventId, AbortSignal.any([signal, silence.signal]));
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
    throw error instanceof ApiUnreachable ? error : new ApiUnreachable(STREAM, networkReason(error));
  }
}
