/** A run's events as they happen (Server-Sent Events), from wherever the reader left off. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../db/client';
import {
  createOpenStreams,
  eventStream,
  GREETING,
  HEARTBEAT,
  HEARTBEAT_MS,
  unlessGone,
} from '../open-streams';
import type { Feeds } from '../runs/feed';
import { findRun } from '../runs/find-run';
import { RunPath } from './responses';

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
  feeds: Feeds;
}

export const eventRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, feeds }, done) => {
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
    const feed = feeds.open(runId);
    try {
      yield GREETING;
      while (!end.aborted) {
        const part = await feed.read(last);
        if (part === undefined && Date.now() - spokeAt < HEARTBEAT_MS) {
          await unlessGone(end, feed.changed());
          continue;
        }
        yield part?.text ?? HEARTBEAT;
        last = part?.lastId ?? last;
        spokeAt = Date.now();
      }
    } finally {
      feed.close();
    }
  }
  done();
};
