/**
 * The people of the lists bench, as a process of their own: some follow a run's events, and others ask for lists at an even
 * pace, whether the answers to those before are there or not. Speaks with its parent by messages.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, fetch, setGlobalDispatcher } from 'undici';

/** What is to be done: opened at once, then asked for. */
export interface Listeners {
  kind: 'listen';
  url: string;
  token: string;
  count: number;
}
export interface Requests {
  kind: 'ask';
  urls: string[];
  token: string;
  perSecond: number;
  seconds: number;
}
/** Milliseconds that each answer took, or that the listeners are there. */
export type Told = { kind: 'listening' } | { kind: 'asked'; ms: number[] };

// As many connections as browsers would have.
setGlobalDispatcher(new Agent({ connections: 400, pipelining: 1 }));

async function listen({ url, token, count }: Listeners): Promise<void> {
  for (let opened = 0; opened < count; opened++) {
    const { body, status } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (status !== 200 || body === null) throw new Error(`${url} answers ${status}`);
    void read(body);
  }
}

async function read(stream: AsyncIterable<unknown>): Promise<void> {
  // Whoever listens reads; what it says is not what is measured.
  for await (const _chunk of stream);
}

async function ask({ urls, token, perSecond, seconds }: Requests): Promise<number[]> {
  const began = performance.now();
  const answers: Promise<number>[] = [];
  for (let number = 0; number < perSecond * seconds; number++) {
    const due = began + (number * 1000) / perSecond;
    await pause(Math.max(0, due - performance.now()));
    answers.push(one(urls[number % urls.length] ?? '', token, due));
  }
  return Promise.all(answers);
}

/** From when it was due, so that a process that is late is not taken for a server that is fast. */
async function one(url: string, token: string, due: number): Promise<number> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  return performance.now() - due;
}

const tell = (told: Told) => void process.send?.(told);

process.on('message', (order: Listeners | Requests) => {
  const done =
    order.kind === 'listen'
      ? listen(order).then(() => tell({ kind: 'listening' }))
      : ask(order).then((ms) => tell({ kind: 'asked', ms }));
  done.catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
