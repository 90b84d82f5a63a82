/**
 * A site that means ill, as a process of its own: `node gateway-attacker.js PORT FOLDER` with `cert`, `key` and `ca` in the
 * folder. It floods, sends what is too large, and takes its time, all at once, until it is ended.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SERVICE, connectHttp2, ending, frame, openStream } from '../server/gateway/raw-site';

/** It would be another machine's: what it computes itself is not what is measured. */
const LEAST_PRIORITY = 19;
const TOO_LARGE = frame(randomBytes(6_000_000));

type Attack = (session: ClientHttp2Session) => Promise<unknown>;

/** One that the gateway is about to close takes no further calls. */
const isOpen = (session: ClientHttp2Session) => !session.closed && !session.destroyed;

/** As often as it can, on connections that it makes anew as soon as they are closed. */
async function again(connect: () => ClientHttp2Session, attack: Attack) {
  for (;;) {
    const session = connect();
    const closed = new Promise<void>((resolve) => session.once('close', resolve));
    await Promise.race([new Promise<void>((resolve) => session.once('connect', () => resolve())), closed]);
    while (isOpen(session)) await Promise.race([attack(session), closed]);
    session.destroy();
    await closed;
  }
}

const inBatches =
  (size: number, attack: Attack): Attack =>
  (session) =>
    Promise.all(Array.from({ length: isOpen(session) ? size : 0 }, () => attack(session)));

const flood = inBatches(50, (session) =>
  ending(openStream(session, `${SERVICE}GetSystemInfo`).end(frame(Buffer.alloc(0)))),
);

const oversize = (session: ClientHttp2Session) =>
  ending(openStream(session, `${SERVICE}RespondActivityTaskCompleted`).end(TOO_LARGE));

const drip = inBatches(90, async (session) => {
  const stream = openStream(session, `${SERVICE}PollActivityTaskQueue`);
  const message = frame(Buffer.alloc(10_000));
  const ended = ending(stream);
  for (let sent = 0; !stream.destroyed && sent < message.length; sent++) {
    stream.write(message.subarray(sent, sent + 1));
    await pause(50);
  }
  await ended;
});

async function main(port: number, folder: string): Promise<void> {
  setPriority(LEAST_PRIORITY);
  const [cert, key, trusted] = await Promise.all(
    ['cert', 'key', 'ca'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const connect = () => connectHttp2(port, { cert: cert ?? '', key: key ?? '', trusted: trusted ?? '' });
  process.send?.('attacking');
  await Promise.all([flood, oversize, drip].map((attack) => again(connect, attack)));
}

void main(Number(process.argv[2]), process.argv[3] ?? '');
