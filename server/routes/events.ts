/** A run's events as they happen (Server-Sent Events), from wherever the reader left off. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunEvent } from '../../workflows/api-contract';
import type { Database } from '../db/client';
import type { Journal } from '../journal';
import { createOpenStreams, eventStream, GREETING, HEARTBEAT, HEARTBEAT_MS } from '../open-streams';
import { findRun } from '../runs/find-run';
import type { Truth } from '../runs/truth';
import { problems, RunPath } from './responses';

/** Another replica of the API may have written; this one is woken only by what it wrote itself. */
const POLL_MS = 2_000;
const BATCH = 100;

const ResumeHeaders = z.looseObject({
  'last-event-id': z.coerce
    .number('must be the id of an event')
    .int('must be the id of an event')
    .nonnegative('must be the id of an event')
    .default(0)
    .describe('Events after this one are sent; without it, all.'),
});

interface Deps {
  db: Database;
  journal: Journal;
  truth: Truth;
}

export const eventRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, journal, truth }, done) => {
  const sendStream = createOpenStreams(server);

  server.get(
    '/runs/:runId/events',
    {
      config: { roles: ['viewer', 'siteAdmin', 'central'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'followRun',
        summary: 'The events of a run, past and to come',
        description: 'Stays open. `id` is the id of the event, `event` its type, `data` the event itself.',
        tags: ['runs'],
        params: RunPath,
        headers: ResumeHeaders,
        response: {
          200: eventStream('Each message is a RunEvent.'),
          ...problems,
        },
      },
    },
    async ({ params: { runId }, headers }, reply) => {
      await findRun(db, runId);
      return sendStream(reply, (end) => follow(runId, headers['last-event-id'], end));
    },
  );

  async function* follow(runId: string, lastEventId: number, end: AbortSignal): AsyncGenerator<string> {
    let last = lastEventId;
    let spokeAt = Date.now();
    const listener = journal.listen(runId);
    try {
      yield GREETING;
      while (!end.aborted) {
        const events = await journal.read(runId, last, BATCH);
        const silence = Date.now() - spokeAt;
        if (events.length === 0 && silence < HEARTBEAT_MS) {
          await listener.wait(POLL_MS, end);
          await truth.check(await findRun(db, runId));
          continue;
        }
        yield events.length > 0 ? events.map(message).join('') : HEARTBEAT;
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
