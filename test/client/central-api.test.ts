import { ApiProblem, ApiUnreachable } from '../../client';
import { createCentralApi, type CentralApi } from '../../client/central-api';
import { ContractServer, json, problem } from '../support/contract-server';

let server: ContractServer;
let api: CentralApi;

beforeEach(async () => {
  server = new ContractServer();
  await server.start();
  api = createCentralApi({ url: `${server.url}/`, token: 'a-token' });
});
afterEach(() => server.stop());

const launch = { runId: 'penguins-1', launchId: 'abcdefghijkl' };
const ask = (signal?: AbortSignal) => api.askLiveness({ launches: [launch] }, signal);

test('a call sends the token and what is asked, and gives the answer', async () => {
  const answer = { launches: [{ ...launch, state: 'live' }] };
  server.answer = json(200, answer);
  await expect(ask()).resolves.toEqual(answer);
  expect(server.seen).toMatchObject([
    {
      method: 'POST',
      path: '/api/launches/live',
      body: { launches: [launch] },
      headers: { authorization: 'Bearer a-token' },
    },
  ]);
});

test.each<[string, (api: CentralApi) => Promise<unknown>, string, string]>([
  [
    'getRunKit',
    (a) => a.getRunKit('r', 'abcdefghijkl', 'a/../b'),
    'POST',
    '/api/runs/r/launches/abcdefghijkl/kits/a%2F..%2Fb',
  ],
  [
    'putNodeLog',
    (a) => a.putNodeLog('r', 'abcdefghijkl', 'biscoe', 7, Buffer.from('x')),
    'PUT',
    '/api/runs/r/launches/abcdefghijkl/nodes/biscoe/log?start=7',
  ],
  [
    'removeRunKits',
    (a) => a.removeRunKits('r', 'abcdefghijkl'),
    'DELETE',
    '/api/runs/r/launches/abcdefghijkl/kits',
  ],
  ['getAnswers', (a) => a.getAnswers(), 'GET', '/api/site/answers'],
])('%s asks %s %s', async (_name, call, method, path) => {
  server.answer = problem(404, 'Not found');
  await expect(call(api)).rejects.toBeInstanceOf(ApiProblem);
  expect(server.seen).toEqual([expect.objectContaining({ method, path })]);
});

test('a call says what its body is; one without a body says nothing', async () => {
  server.answer = json(200, { launches: [] });
  await ask();
  server.answer = json(200, { next: 1 });
  await api.putNodeLog('r', 'abcdefghijkl', 'biscoe', 0, Buffer.from('x'));
  server.answer = json(200, { url: 'u', reportPath: 'p', reportToken: 't' });
  await api.getRunKit('r', 'abcdefghijkl', 'biscoe');
  expect(server.seen.map(({ headers }) => headers['content-type'])).toEqual([
    'application/json',
    'application/gzip',
    undefined,
  ]);
});

test('a problem keeps its status and names the wrong place in one line', async () => {
  server.answer = problem(400, 'Invalid request', {
    detail: 'The request is not of the agreed form.\nSee the description.',
    errors: [{ pointer: '/launches/0', detail: 'must be an object' }],
  });
  const error = await ask().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({ status: 400, problem: { title: 'Invalid request' } });
  expect((error as Error).message).toBe(
    'The central API refused POST /api/launches/live (400): Invalid request: ' +
      'The request is not of the agreed form. See the description: /launches/0 must be an object.',
  );
});

test('a place that the detail names already is not named twice', async () => {
  const errors = [{ pointer: '/a', detail: 'must be integer' }];
  server.answer = problem(422, 'Wrong', { detail: 'It does not fit: /a must be integer.', errors });
  await expect(ask()).rejects.toThrow('(422): Wrong: It does not fit: /a must be integer.');
});

test.each([
  [401, 'Unauthorized', /valid access token/],
  [403, 'Forbidden', /role may do this/],
  [500, 'Broken', /API's log/],
])('status %i says what to do', async (status, title, advice) => {
  server.answer = problem(status, title);
  await expect(ask()).rejects.toThrow(advice);
});

test('an error that is no problem document is still one line with its status', async () => {
  server.answer = (_request, response) => response.writeHead(502).end('<html>bad gateway</html>');
  await expect(ask()).rejects.toMatchObject({ status: 502, problem: undefined });
});

test('an answer of another shape is refused, with the place', async () => {
  server.answer = json(200, { launches: [{ ...launch, state: 'sleeping' }] });
  await expect(ask()).rejects.toThrow(/not of this version of Muster \(\/launches\/0\/state:/);
  server.answer = (_request, response) => response.end('hello');
  await expect(ask()).rejects.toBeInstanceOf(ApiUnreachable);
});

test('nobody there: the address and the reason', async () => {
  await server.stop();
  await expect(ask()).rejects.toThrow(ApiUnreachable);
  await expect(ask()).rejects.toThrow(new RegExp(`${server.url}: .*ECONNREFUSED.*try again`));
});

test('an API that never answers is given up after the time limit', async () => {
  server.answer = () => undefined;
  const hasty = createCentralApi({ url: server.url, token: 't', timeoutMs: 50 });
  await expect(hasty.getAnswers()).rejects.toThrow(/nothing within 50 ms/);
});

test("an aborted call throws the caller's reason, not a network error", async () => {
  const abort = new AbortController();
  const reason = new Error('the activity was cancelled');
  server.answer = () => abort.abort(reason);
  await expect(ask(abort.signal)).rejects.toBe(reason);
});
