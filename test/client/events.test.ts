import fc from 'fast-check';
import type { ServerResponse } from 'node:http';
import { ApiProblem, createMusterApi, followRun } from '../../client';
import { readMessages } from '../../client/event-stream';
import { ContractServer, problem } from '../support/contract-server';
import { followed, runView } from '../support/run-pictures';

let server: ContractServer;
beforeEach(async () => {
  server = new ContractServer();
  await server.start();
});
afterEach(() => server.stop());

const line = (id: number) =>
  `id: ${id}\nevent: run\ndata: ${JSON.stringify({ ...followed({ type: 'run', data: runView() }), id })}\n\n`;
const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

/** Follows the run until `count` events came, calling `onEvent` after each. */
async function follow(
  count: number,
  onEvent: (id: number) => void | Promise<void> = () => undefined,
  silenceMs?: number,
) {
  const api = createMusterApi({ url: server.url, token: 't' });
  const ids: number[] = [];
  const signal = new AbortController().signal;
  for await (const event of followRun(api, 'r', {
    signal,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  })) {
    ids.push(event.id);
    await onEvent(event.id);
    if (ids.length === count) break;
  }
  return ids;
}
const resumedFrom = () => server.seen.map(({ headers }) => headers['last-event-id']);

test('events come as they happen, comments are not events', async () => {
  server.answer = (_request, response) => stream(response).write(`: hello\n\n${line(1)}:\n${line(2)}`);
  await expect(follow(2)).resolves.toEqual([1, 2]);
  expect(server.seen).toMatchObject([
    { path: '/api/runs/r/events', headers: { accept: 'text/event-stream, */*' } },
  ]);
});

test('after a restart of the API it resumes after the last event and repeats none', async () => {
  const answers = [line(1) + line(2), line(2) + line(3)];
  server.answer = (_request, response) => stream(response).write(answers.shift() ?? '');
  const ids = await follow(3, async (id) => {
    if (id !== 2) return;
    await server.stop();
    await server.start();
  });
  expect(ids).toEqual([1, 2, 3]);
  expect(resumedFrom()).toEqual([undefined, '2']);
});

test('an API that is not ready yet is asked again', async () => {
  server.answer = (request, response) => {
    if (server.seen.length === 1) problem(503, 'Starting')(request, response);
    else stream(response).end(line(server.seen.length));
  };
  await expect(follow(2)).resolves.toEqual([2, 3]);
});

test('a connection that falls silent is replaced', async () => {
  server.answer = (_request, response) => {
    stream(response);
    if (server.seen.length === 1) response.flushHeaders();
    else response.write(line(1));
  };
  await expect(follow(1, undefined, 100)).resolves.toEqual([1]);
  expect(server.seen.length).toBeGreaterThan(1);
});

test('a refusal is not tried again', async () => {
  server.answer = problem(404, 'No such run');
  await expect(follow(1)).rejects.toThrow(ApiProblem);
  expect(server.seen).toHaveLength(1);
});

test.each([
  ['no event', 'id: 1\ndata: {"no":"event"}\n\n'],
  ['no JSON', 'id: 1\ndata: hello\n\n'],
  ['another state', line(1).replace('"running"', '"dancing"')],
])('%s: what cannot be understood is said, not skipped', async (_what, data) => {
  server.answer = (_request, response) => stream(response).write(data);
  await expect(follow(1)).rejects.toThrow(/does not know/);
});

test('an aborted signal ends the following quietly', async () => {
  server.answer = (_request, response) => stream(response).write(line(1));
  const abort = new AbortController();
  const api = createMusterApi({ url: server.url, token: 't' });
  const ids: number[] = [];
  for await (const event of followRun(api, 'r', { signal: abort.signal })) {
    ids.push(event.id);
    abort.abort();
  }
  expect(ids).toEqual([1]);
});

test('messages are the same however their bytes are cut', async () => {
  const text = fc.string({ unit: 'grapheme' }).map((s) => s.replace(/[\r\n]/g, ' '));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 5 }),
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (texts, size, crlf) => {
        const end = crlf ? '\r\n' : '\n';
        const bytes = Buffer.from(
          texts.map((data, id) => `id: ${id}${end}data: ${data}${end}${end}`).join(''),
        );
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const read = [];
        for await (const message of readMessages(asyncOf(chunks))) read.push(message);
        expect(read).toEqual(texts.map((data, id) => ({ id: String(id), data })));
      },
    ),
  );
});

async function* asyncOf<T>(items: T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
