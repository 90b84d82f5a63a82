/** Event streams (Server-Sent Events) that stay open, until their reader leaves or the server ends. */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';

/** How long a reader may take to receive the end of a stream. */
const LINGER_MS = 1_000;

/** How often is looked whether the reader may still read: one who may not, or other things than before, has to come again. */
const LOOK_MS = 10_000;

/** Proxies and readers take a silent connection for dead. */
export const HEARTBEAT_MS = 15_000;
export const HEARTBEAT = ': still here\n\n';
/** The first words: a reader that lost its connection comes back soon. */
export const GREETING = 'retry: 1000\n\n';

/** The schema of a stream's answer. */
export const eventStream = (description: string) => ({
  description,
  content: {
    'text/event-stream': {
      schema: z.custom<Readable>((value) => value instanceof Readable).meta({ type: 'string', description }),
    },
  },
});

/** Resolves with `news`, and without them when the reader has left. */
export function unlessGone(end: AbortSignal, news: Promise<void>): Promise<void> {
  if (end.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const leave = () => resolve();
    end.addEventListener('abort', leave, { once: true });
    news.then(resolve, reject).finally(() => end.removeEventListener('abort', leave));
  });
}

/** What of a server a stream needs to know: that it is about to close. */
interface Closing {
  addHook(name: 'preClose', hook: (done: () => void) => void): unknown;
}

/** Answers with a stream, of which one chunk at a time is asked for: the next when the reader has taken the one before. */
export type SendStream = (
  reply: FastifyReply,
  chunks: (end: AbortSignal) => AsyncIterable<string>,
) => FastifyReply;

export function createOpenStreams(server: Closing): SendStream {
  const closing = new AbortController();
  const open = new Set<ServerResponse>();
  // Open streams would hold the server's end up, and so would a reader that does not take the end of one.
  server.addHook('preClose', (closed) => {
    closing.abort();
    setTimeout(() => open.forEach((response) => response.destroy()), LINGER_MS).unref();
    closed();
  });
  return (reply, chunks) => {
    const gone = new AbortController();
    open.add(reply.raw);
    const watch = setInterval(() => {
      void reply.request.isStillLetIn().then((still) => {
        if (!still) gone.abort();
      });
    }, LOOK_MS).unref();
    reply.raw.once('close', () => {
      clearInterval(watch);
      open.delete(reply.raw);
      gone.abort();
    });
    return reply
      .type('text/event-stream')
      .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
      .send(Readable.from(chunks(AbortSignal.any([gone.signal, closing.signal]))));
  };
}
