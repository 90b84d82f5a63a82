/**
 * How long lists take for people while many others follow a run: the API of a stack with many past runs, its answers beside
 * those of a route that does nothing, asked for by the same process at the same pace, in turns.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createCentralApi } from '../../client/central-api';
import type { Stack } from '../../dev/stack';
import { nodeView, runView, statusReport } from '../server/views';
import { until } from '../support/until';
import type { Listeners, Requests, Told } from './lists-driver';

export interface ListFigures {
  runs: number;
  listeners: number;
  perSecond: number;
  /** p95 in milliseconds, of a route that does nothing and of the lists, in turns. */
  p95Ms: { hello: number; lists: number }[];
}

const RUNS = 10_000;
const AT_ONCE = 8;
const LISTENERS = 200;
const PER_SECOND = 50;
const SECONDS = 10;
const TURNS = 3;
/** The run that is followed says something new so often. */
const NEWS_MS = 500;

type Tell = (runId: string, report: ReturnType<typeof statusReport>) => Promise<void>;

export async function measureLists(
  stack: Stack,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<ListFigures> {
  const { url } = stack.api;
  const [service, token] = [
    await stack.mint({ role: 'central', sub: 'bench' }),
    await stack.mint({ role: 'admin', sub: 'bench' }),
  ];
  const api = createCentralApi({ url, token: service });
  say(`Telling the API of ${RUNS} runs that are complete`);
  await fill((runId, report) => api.reportStatusCentral(runId, report, signal));

  const [hello, driver] = [fork(join(__dirname, 'lists-hello.js')), fork(join(__dirname, 'lists-driver.js'))];
  const over = new AbortController();
  const news = keepTelling((runId, report) => api.reportStatusCentral(runId, report, signal), over.signal);
  try {
    const [helloUrl] = (await once(hello, 'message')) as [string];
    await until(async () => (await fetch(`${url}/api/runs/followed`, bearer(token))).status === 200);
    await ask(driver, { kind: 'listen', url: `${url}/api/runs/followed/events`, token, count: LISTENERS });
    const lists = ['runs?limit=50', 'consortia', 'runs?limit=50&state=complete', 'waiting'];
    const p95Ms: ListFigures['p95Ms'] = [];
    for (let turn = 0; turn <= TURNS; turn++) {
      signal.throwIfAborted();
      say(`Lists beside ${LISTENERS} listeners, ${turn === 0 ? 'to warm up' : `${turn} of ${TURNS}`}`);
      const pair = {
        hello: await p95Of(driver, [helloUrl], token),
        lists: await p95Of(
          driver,
          lists.map((list) => `${url}/api/${list}`),
          token,
        ),
      };
      if (turn > 0) p95Ms.push(pair);
    }
    return { runs: RUNS, listeners: LISTENERS, perSecond: PER_SECOND, p95Ms };
  } finally {
    over.abort();
    for (const child of [hello, driver]) child.kill();
    await news;
  }
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function fill(tell: Tell): Promise<void> {
  const began = Date.now() - RUNS * 1000;
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < RUNS; number = next++) {
      const [runId, at] = [`past-${number}`, began + number * 1000];
      const run = runView(runId, 'complete', { startedAt: at, since: at });
      await tell(runId, statusReport(run, [nodeView('central', 'complete')], { at }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function keepTelling(tell: Tell, signal: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  for (let seq = 1; !signal.aborted; seq++) {
    const [at, since] = [Date.now(), startedAt + seq];
    const nodes = [nodeView('central', 'running'), nodeView('alpha', 'running', { since })];
    await tell('followed', statusReport(runView('followed', 'running', { startedAt }), nodes, { at, seq }));
    await pause(NEWS_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function p95Of(driver: ChildProcess, urls: string[], token: string): Promise<number> {
  const told = await ask(driver, { kind: 'ask', urls, token, perSecond: PER_SECOND, seconds: SECONDS });
  const sorted = (told.kind === 'asked' ? told.ms : []).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? NaN;
}

async function ask(driver: ChildProcess, order: Listeners | Requests): Promise<Told> {
  const ended = once(driver, 'exit').then(() => {
    throw new Error('the process that asks has ended');
  });
  const told = once(driver, 'message') as Promise<[Told]>;
  driver.send(order);
  return (await Promise.race([told, ended]))[0];
}
