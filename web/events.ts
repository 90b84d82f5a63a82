/** Reads a run's events from the stream's bytes, and notices when the stream has fallen silent. */
import { readMessages } from '../client/event-stream';
import type { RunEvent } from '../workflows/api-contract';
import { Unreachable } from './api';
import { isRunEvent, UnknownShape } from './shapes';

/**
 * The events in `stream`. `onHeard` is called for everything that arrives, heartbeats too; a stream on which nothing
 * came for `silenceMs` is taken for broken and ends.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  silenceMs: number,
  onHeard: () => void,
): AsyncGenerator<RunEvent> {
  for await (const { data } of readMessages(chunks(stream, silenceMs, onHeard))) yield readEvent(data);
}

async function* chunks(
  stream: ReadableStream<Uint8Array>,
  silenceMs: number,
  onHeard: () => void,
): AsyncGenerator<Uint8Array> {
  // A reader, not `for await`: not every browser iterates streams.
  const reader = stream.getReader();
  const leave = () => void reader.cancel().catch(() => undefined);
  let silence = setTimeout(leave, silenceMs);
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(unreachable);
      if (done) return;
      onHeard();
      clearTimeout(silence);
      silence = setTimeout(leave, silenceMs);
      yield value;
    }
  } finally {
    clearTimeout(silence);
    leave();
  }
}

function unreachable(cause: unknown): never {
  throw new Unreachable(cause);
}

function readEvent(data: string): RunEvent {
  const event = parse(data);
  if (!isRunEvent(event)) throw new UnknownShape('an event');
  return event;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
