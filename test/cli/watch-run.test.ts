import { createScreen } from '../../cli/terminal';
import { watchRun } from '../../cli/watch-run';
import { createMusterApi } from '../../client';
import type { RunState } from '../../workflows/contract';
import { ContractServer, problem } from '../support/contract-server';
import { followed, runView } from '../support/run-pictures';

let server: ContractServer;
let asked: AbortController;
let forced: AbortController;
let written: string;

beforeEach(async () => {
  [asked, forced, written] = [new AbortController(), new AbortController(), ''];
  server = new ContractServer();
  await server.start();
});
afterEach(() => server.stop());

const line = (id: number, state: RunState) =>
  `id: ${id}\ndata: ${JSON.stringify({ ...followed({ type: 'run', data: runView({ state }) }), id })}\n\n`;

/** A server on whose run `stop` does what it is told to. */
function serveRun(first: RunState[], onStop: (send: (state: RunState) => void) => void) {
  let id = 1;
  let send: (state: RunState) => void = () => undefined;
  server.answer = ({ path }, response) => {
    if (path.endsWith('/stop')) {
      response.writeHead(202).end();
      onStop(send);
    } else {
      send = (state) => response.write(line(id++, state));
      first.forEach(send);
    }
  };
}

/** Watches the run; `onText` hears all that is on the screen so far. */
function watch(onText: () => void = askWhenRunning) {
  const screen = createScreen({
    write: (text: string | Uint8Array) => {
      written += String(text);
      onText();
      return true;
    },
  });
  const api = createMusterApi({ url: server.url, token: 't' });
  return watchRun(api, 'penguins-1', screen, { asked: asked.signal, forced: forced.signal });
}
const askWhenRunning = () => {
  if (written.includes('run running') && !asked.signal.aborted) asked.abort();
};

test('it ends with the run, and nobody asks it to stop', async () => {
  serveRun(['provisioning', 'complete'], () => undefined);
  await expect(watch()).resolves.toMatchObject({ run: { state: 'complete' } });
  expect(server.seen).toHaveLength(1);
});

test('the first interrupt asks the run to stop, and waits until it has', async () => {
  serveRun(['running'], (send) => ['stopping' as const, 'stopped' as const].forEach(send));
  await expect(watch()).resolves.toMatchObject({ run: { state: 'stopped' } });
  expect(server.seen.filter(({ path }) => path === '/api/runs/penguins-1/stop')).toHaveLength(1);
  expect(written).toContain('Stopping the run. Press Ctrl-C again');
});

test('the second interrupt does not wait', async () => {
  serveRun(['running'], () => forced.abort());
  await expect(watch()).resolves.toMatchObject({ run: { state: 'running' } });
});

test('a run that cannot be stopped is said, and still watched', async () => {
  server.answer = (request, response) => {
    if (request.path.endsWith('/stop')) problem(403, 'Only leads may stop it')(request, response);
    else response.write(line(1, 'running'));
  };
  await watch(() => {
    askWhenRunning();
    if (written.includes('could not be asked')) forced.abort();
  });
  expect(written).toMatch(/could not be asked to stop: .*Only leads may stop it/);
});

test('what came before a retry is left out', async () => {
  serveRun(['complete'], () => undefined);
  const api = createMusterApi({ url: server.url, token: 't' });
  const screen = createScreen({ write: () => true });
  const run = watchRun(api, 'penguins-1', screen, { asked: asked.signal, forced: forced.signal }, 0);
  await expect(run).resolves.toMatchObject({ run: { state: 'complete' } });
  expect(server.seen[0]?.headers['last-event-id']).toBe('0');
});
