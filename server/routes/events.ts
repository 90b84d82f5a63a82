/** A run's events as they happen (Server-Sent Events), from wherever the reader left off. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { RunEvent } from '../../workflows/api-contract';
import { mustSee } from '../access';
import type { Database } from '../db/client';
import type { Journal } from '../journal';
import { findRun } from '../runs/find-run';
import type { Truth } from '../runs/truth';
import { problems, RunPath } from './responses';

/** Another replica of the API may have written; this one is woken only by what it wrote itself. */
const POLL_MS = 2_000;
/** Proxies and readers take a silent connection for dead. */
const HEARTBEAT_MS = 15_000;
/** How long a reader may take to receive the end of a stream. */
const LINGER_MS = 1_000;
const BATCH = 100;

const ResumeHeaders = z.looseObject({
  'last-event-id': z.coerce
    .number('must be the id of an event')
    .int('must be the id of an event')
    .nonnegative('must be the id of an event')
    .default(0)
    .describe('Events after this one are sent; without it, all.'),
});

const EventStream = z
  .custom<Readable>((value) => value instanceof Readable)
  .meta({ type: 'string', description: 'Each message is a RunEvent.' });

interface Deps {
  db: Database;
  journal: Journal;
  truth: Truth;
}

export const eventRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, journal, truth }, done) => {
  const closing = new AbortController();
  const open = new Set<ServerResponse>();
  // Open streams would hold the server's end up, and so would a reader that does not take the end of one.
  server.addHook('preClose', (closed) => {
    closing.abort();
    setTimeout(() => open.forEach((response) => response.destroy()), LINGER_MS).unref();
    closed();
  });

  server.get(
    '/runs/:runId/events',
    {
      config: { roles: ['admin', 'lead', 'central'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'followRun',
        summary: 'The events of a run, past and to come',
        description: 'Stays open. `id` is the id of the event, `event` its type, `data` the event itself.',
        tags: ['runs'],
        params: RunPath,
        headers: ResumeHeaders,
        response: {
          200: { description: 'RunEvents.', content: { 'text/event-stream': { schema: EventStream } } },
          ...problems,
        },
      },
    },
    async ({ params: { runId }, headers, claims }, reply) => {
      mustSee(claims, (await findRun(db, runId)).consortiumId);
      const gone = new AbortController();
      open.add(reply.raw);
      reply.raw.once('close', () => {
        open.delete(reply.raw);
        gone.abort();
      });
      const end = AbortSignal.any([gone.signal, closing.signal]);
      return reply
        .type('text/event-stream')
        .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
        .send(Readable.from(follow(runId, headers['last-event-id'], end)));
    },
  );

  /** One chunk at a time: the next is read when the reader has taken the one before. */
  async function* follow(runId: string, lastEventId: number, end: AbortSignal): AsyncGenerator<string> {
    let last = lastEventId;
    let spokeAt = Date.now();
    const listener = journal.listen(runId);
    try {
      yield 'retry: 1000\n\n';
      while (!end.aborted) {
        const events = await journal.read(runId, last, BATCH);
        const silence = Date.now() - spokeAt;
        if (events.length === 0 && silence < HEARTBEAT_MS) {
          await listener.wait(POLL_MS, end);
          await truth.check(await findRun(db, runId));
          continue;
        }
        yield events.length > 0 ? events.map(message).join('') : ': still here\n\n';
        last = events.at(-1)?.id ?? last;
        spokeAt = Date.now();
      }
    } finally {
      listener.close();
    }
  }
  done();
};

function message(event: RunEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
