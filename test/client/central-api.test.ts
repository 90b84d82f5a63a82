import { ApiProblem, ApiUnreachable, createCentralApi, type CentralApi } from '../../client';
import { ContractServer, json, problem } from '../support/contract-server';

let server: ContractServer;
let api: CentralApi;

beforeEach(async () => {
  server = new ContractServer();
  await server.start();
  api = createCentralApi({ url: `${server.url}/`, token: 'a-token' });
});
afterEach(() => server.stop());

const started = { runId: 'penguins-1', page: 'http://127.0.0.1/runs/penguins-1' };

test('startRun sends the token, the idempotency key and the parameters, and gives the run', async () => {
  server.answer = json(201, started);
  await expect(api.startRun('penguins', { parameters: { a: 1 } }, 'key-1')).resolves.toEqual(started);
  expect(server.seen).toMatchObject([
    {
      method: 'POST',
      path: '/api/consortia/penguins/runs',
      body: { parameters: { a: 1 } },
      headers: { authorization: 'Bearer a-token', 'idempotency-key': 'key-1' },
    },
  ]);
});

test.each<[string, (api: CentralApi) => Promise<unknown>, string, string]>([
  [
    'getRunKit',
    (a) => a.getRunKit('r', 'abcdefghijkl', 'biscoe'),
    'POST',
    '/api/runs/r/launches/abcdefghijkl/kits/biscoe',
  ],
  ['listRuns', (a) => a.listRuns('penguins'), 'GET', '/api/runs?consortium=penguins'],
  ['listSites', (a) => a.listSites('penguins'), 'GET', '/api/sites?consortium=penguins'],
  ['getRun', (a) => a.getRun('a/../b'), 'GET', '/api/runs/a%2F..%2Fb'],
  ['askLiveness', (a) => a.askLiveness({ launches: [] }), 'POST', '/api/launches/live'],
  ['stopRun', (a) => a.stopRun('r', { reason: 'enough' }), 'POST', '/api/runs/r/stop'],
])('%s asks %s %s', async (_name, call, method, path) => {
  server.answer = problem(404, 'Not found');
  await expect(call(api)).rejects.toBeInstanceOf(ApiProblem);
  expect(server.seen).toEqual([expect.objectContaining({ method, path })]);
});

test('a call without a body says nothing of a content type', async () => {
  await api.stopRun('r');
  server.answer = json(200, { url: 'u', reportPath: 'p', reportToken: 't' });
  await api.getRunKit('r', 'abcdefghijkl', 'biscoe');
  expect(server.seen.map(({ headers }) => headers['content-type'])).toEqual(['application/json', undefined]);
});

test('a problem keeps its status and names the wrong place in one line', async () => {
  server.answer = problem(400, 'Invalid parameters', {
    detail: 'The parameters do not fit the computation.\nSee its schema.',
    errors: [{ pointer: '/covariates/0', detail: 'must be string' }],
  });
  const error = await api.startRun('penguins', {}, 'k').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({ status: 400, problem: { title: 'Invalid parameters' } });
  expect((error as Error).message).toBe(
    'The central API refused POST /api/consortia/penguins/runs (400): Invalid parameters: ' +
      'The parameters do not fit the computation. See its schema: /covariates/0 must be string.',
  );
});

test('a place that the detail names already is not named twice', async () => {
  const errors = [{ pointer: '/a', detail: 'must be integer' }];
  server.answer = problem(422, 'Wrong', { detail: 'It does not fit: /a must be integer.', errors });
  await expect(api.listRuns()).rejects.toThrow('(422): Wrong: It does not fit: /a must be integer.');
});

test.each([
  [401, 'Unauthorized', /valid access token/],
  [403, 'Forbidden', /role may do this/],
  [500, 'Broken', /API's log/],
])('status %i says what to do', async (status, title, advice) => {
  server.answer = problem(status, title);
  await expect(api.listRuns()).rejects.toThrow(advice);
});

test('an error that is no problem document is still one line with its status', async () => {
  server.answer = (_request, response) => response.writeHead(502).end('<html>bad gateway</html>');
  await expect(api.listRuns()).rejects.toMatchObject({ status: 502, problem: undefined });
});

test('an answer of another shape is refused, with the place', async () => {
  server.answer = json(200, { runId: 'NOT A RUN ID', page: 'x' });
  await expect(api.startRun('penguins', {}, 'k')).rejects.toThrow(/not of this version of Muster \(\/runId:/);
  server.answer = (_request, response) => response.end('hello');
  await expect(api.listRuns()).rejects.toBeInstanceOf(ApiUnreachable);
});

test('nobody there: the address and the reason', async () => {
  await server.stop();
  await expect(api.listRuns()).rejects.toThrow(ApiUnreachable);
  await expect(api.listRuns()).rejects.toThrow(new RegExp(`${server.url}: .*ECONNREFUSED.*try again`));
});

test('an API that never answers is given up after the time limit', async () => {
  server.answer = () => undefined;
  const hasty = createCentralApi({ url: server.url, token: 't', timeoutMs: 50 });
  await expect(hasty.listRuns()).rejects.toThrow(/nothing within 50 ms/);
});

test("an aborted call throws the caller's reason, not a network error", async () => {
  const abort = new AbortController();
  const reason = new Error('the activity was cancelled');
  server.answer = () => abort.abort(reason);
  await expect(api.listRuns(undefined, abort.signal)).rejects.toBe(reason);
});
