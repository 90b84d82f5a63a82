/** Reads what a stream of the API tells, from its bytes, and notices when the stream has fallen silent. */
import type { z } from 'zod';
import { readMessages } from '../../client/event-stream';
import { ApiUnreachable, networkReason } from '../../client/errors';
import { read } from '../api/errors';

/** The server sends a heartbeat several times within this. */
export const SILENCE_MS = 45_000;

export interface Told<Data> {
  id: string | undefined;
  data: Data;
}

/**
 * The messages in `stream`, each of which is to be what `schema` says. `onHeard` is called for everything that arrives,
 * heartbeats too; a stream on which nothing came for `silenceMs` is taken for broken and ends.
 */
export async function* readEvents<Schema extends z.ZodType>(
  stream: ReadableStream<Uint8Array>,
  schema: Schema,
  silenceMs: number,
  onHeard: () => void,
): AsyncGenerator<Told<z.output<Schema>>> {
  for await (const { id, data } of readMessages(chunks(stream, silenceMs, onHeard)))
    yield { id, data: read(schema, 'an event', parse(data)) };
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
  throw new ApiUnreachable('this address', networkReason(cause), { cause });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
