import { ApiProblem, ApiUnreachable, createMusterApi, type MusterApi } from '../../client';
import { useGarbageCollection } from '../support/garbage';
import { ContractServer, json, problem } from '../support/contract-server';

let server: ContractServer;
let api: MusterApi;

beforeEach(async () => {
  server = new ContractServer();
  await server.start();
  api = createMusterApi({ url: `${server.url}/`, token: 'a-token' });
});
afterEach(() => server.stop());

const path = { consortiumId: 'penguins' };
const started = { runId: 'penguins-1', page: 'http://127.0.0.1/runs/penguins-1' };

test('an operation sends its token, headers and body, and gives the answer', async () => {
  server.answer = json(201, started);
  const headers = { 'idempotency-key': 'key-1' };
  await expect(api.startRun({ path, headers, body: { parameters: { a: 1 } } })).resolves.toEqual(started);
  expect(server.seen).toMatchObject([
    {
      method: 'POST',
      path: '/api/consortia/penguins/runs',
      body: { parameters: { a: 1 } },
      headers: { authorization: 'Bearer a-token', 'idempotency-key': 'key-1' },
    },
  ]);
});

test('what is part of a path cannot leave it', async () => {
  server.answer = problem(404, 'Not found');
  await expect(api.getRun({ path: { runId: 'a/../b' } })).rejects.toBeInstanceOf(ApiProblem);
  expect(server.seen).toMatchObject([{ path: '/api/runs/a%2F..%2Fb' }]);
});

test('a problem keeps its status and names the wrong place in one line', async () => {
  server.answer = problem(422, 'Invalid parameters', {
    detail: 'The parameters do not fit.',
    errors: [{ pointer: '/covariates/0', detail: 'must be string' }],
  });
  const error = await api.startRun({ path }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ status: 422, problem: { title: 'Invalid parameters' } });
  expect((error as Error).message).toBe(
    'The central API refused POST /api/consortia/penguins/runs (422): Invalid parameters: The parameters do not fit: ' +
      '/covariates/0 must be string.',
  );
});

test('an error that is no problem document is still one line with its status', async () => {
  server.answer = (_request, response) => response.writeHead(502).end('<html>bad gateway</html>');
  await expect(api.listRuns()).rejects.toMatchObject({ status: 502, problem: undefined });
});

test('an answer of another shape is refused, with the place', async () => {
  server.answer = json(200, { runs: [{ runId: 'NOT A RUN ID' }] });
  await expect(api.listRuns()).rejects.toThrow(
    /its answer to GET \/api\/runs is not of this version of Muster \(\/runs\/0\//,
  );
  server.answer = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"runs": [');
  await expect(api.listRuns()).rejects.toBeInstanceOf(ApiUnreachable);
  server.answer = (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy</html>');
  await expect(api.listRuns()).rejects.toBeInstanceOf(ApiUnreachable);
});

test('what came with a later version of the API does not disturb', async () => {
  server.answer = json(200, { ...started, mood: 'good' });
  await expect(api.startRun({ path })).resolves.toMatchObject(started);
});

test('a call that nobody answers says so, and one that was given up throws why', async () => {
  server.answer = () => undefined;
  const hasty = createMusterApi({ url: server.url, timeoutMs: 50 });
  await expect(hasty.listRuns()).rejects.toThrow(/nothing within 50 ms/);
  const leaving = AbortSignal.abort(new Error('enough'));
  await expect(api.listRuns({ signal: leaving })).rejects.toThrow('enough');
  await server.stop();
  await expect(api.listRuns()).rejects.toThrow(/^No answer from the central API at http.*ECONNREFUSED/);
});

test('an event stream outlives the time that a call may take, and goes on from where it was', async () => {
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    setTimeout(() => response.end('data: 2\n\n'), 2_500);
  };
  const hasty = createMusterApi({ url: server.url, timeoutMs: 2_000 });
  const stream = await hasty.openStream('/api/events', new AbortController().signal, '7');
  await expect(new Response(stream).text()).resolves.toBe('data: 1\n\ndata: 2\n\n');
  expect(server.seen).toMatchObject([
    { headers: { accept: 'text/event-stream, */*', 'last-event-id': '7' }, path: '/api/events' },
  ]);
});

describe('when Node collects its garbage all the time', () => {
  useGarbageCollection();

  test('a call that nobody answers, or not to its end, ends all the same', async () => {
    const hasty = createMusterApi({ url: server.url, timeoutMs: 300 });
    server.answer = () => undefined;
    await expect(hasty.listRuns()).rejects.toThrow(/nothing within 300 ms/);
    server.answer = (_request, response) => response.writeHead(200).write('{');
    await expect(hasty.listRuns()).rejects.toThrow(/nothing within 300 ms/);
  });

  test('an event stream can be left', async () => {
    server.answer = (_request, response) => response.writeHead(200).write('data: 1\n\n');
    const leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, new AbortController().signal]);
    const text = new Response(await api.openStream('/api/events', signal)).text();
    setTimeout(() => leaving.abort(new Error('enough')), 300);
    await expect(text).rejects.toThrow('enough');
  });
});
