import fc from 'fast-check';
import { RunEvent } from '../../workflows/api-contract';
import { readEvents } from '../../web/live/events';
import { UnknownShape } from '../../web/api/errors';

const LONG = 600_000;
const event = (id: number, text: string): RunEvent => ({
  id,
  runId: 'penguins-1',
  at: 1,
  type: 'run',
  data: { text },
});
const message = (sent: RunEvent) => `id: ${sent.id}\nevent: ${sent.type}\ndata: ${JSON.stringify(sent)}\n\n`;

/** `text` as a stream of chunks that are cut at `cuts`. */
function stream(text: string, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const at = [
    0,
    ...[...cuts].sort((a, b) => a - b).map((cut) => cut % (bytes.length + 1)),
    bytes.length,
  ].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      for (const [index, from] of at.entries())
        controller.enqueue(bytes.slice(from, at[index + 1] ?? bytes.length));
      controller.close();
    },
  });
}

async function read(
  source: ReadableStream<Uint8Array>,
  silenceMs = LONG,
  heard = () => {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const { data } of readEvents(source, RunEvent, silenceMs, heard)) events.push(data);
  return events;
}

test('events are read whole, however the bytes are cut', async () => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.nat(5_000)), async (said, cuts) => {
      const events = said.map((text, index) => event(index + 1, text));
      expect(await read(stream(events.map(message).join(': heartbeat\n\n'), cuts))).toEqual(events);
    }),
  );
});

test('a heartbeat is heard, but is not an event', async () => {
  const heard = jest.fn();
  expect(await read(stream(': heartbeat\n\n'), LONG, heard)).toEqual([]);
  expect(heard).toHaveBeenCalled();
});

test('a stream that falls silent ends', async () => {
  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  expect(await read(silent, 10)).toEqual([]);
  expect(cancelled).toBe(true);
});

test('a stream that breaks is told from one that is not understood', async () => {
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new TypeError('network error')),
  });
  await expect(read(broken)).rejects.toThrow('No answer');
  await expect(read(stream('data: {"id":"one"}\n\n'))).rejects.toThrow(UnknownShape);
  await expect(read(stream('data: <html>\n\n'))).rejects.toThrow('Reload the page');
});
