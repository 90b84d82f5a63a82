/** How one knows that a part serves. Every check asks again and again until it does, or until it is aborted. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createStoreFetch } from '../client/site-transport';
import type { Part, Starting } from './part';

const POLL_MS = 50;

/** The URL answers with success. @param caFile what certifies it (PEM), where that is not what this machine trusts */
export const answers =
  (url: string, caFile?: string) =>
  async ({ signal }: Starting): Promise<void> => {
    const fetch = createStoreFetch(caFile && (await readFile(caFile, 'utf8')), {});
    await until(signal, async () => (await fetch(url, { method: 'GET', headers: {}, signal })).ok);
  };

/** Something listens on the port. */
export const listens =
  (host: string, port: number) =>
  ({ signal }: Starting): Promise<void> =>
    until(signal, () => accepts(host, port));

/** One of our services has logged the message. */
export const logs =
  (message: string) =>
  ({ signal, log }: Starting): Promise<void> =>
    until(signal, () => log.has(message));

/** First the one, then the other. */
export const both =
  (first: Part['ready'], second: Part['ready']): Part['ready'] =>
  async (starting) => {
    await first(starting);
    await second(starting);
  };

async function until(signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await delay(POLL_MS, undefined, { signal });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
