/** What waits for somebody, and the stream of what changes in what they look at. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { WaitingList } from '../../workflows/changes-contract';
import { mustBePerson } from '../access';
import type { Reader } from '../changes/audience';
import type { Changes, Message } from '../changes/changes';
import type { Database } from '../db/client';
import { createOpenStreams, eventStream, GREETING, HEARTBEAT, HEARTBEAT_MS } from '../open-streams';
import type { Destinations } from '../people/destinations';
import { listWaiting } from '../waiting';

/** Then the reader comes again, and who it is and what it may see is asked anew. */
const LONGEST_MS = 60_000;

interface Deps {
  db: Database;
  changes: Changes;
  destinations: Destinations;
}

export const changeRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, changes, destinations }, done) => {
  const sendStream = createOpenStreams(server);

  server.get(
    '/waiting',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'listWaiting',
        summary: 'What waits for somebody in what the caller may see, their own tasks first',
        tags: ['people'],
        response: { 200: WaitingList },
      },
    },
    async ({ claims }) => ({ waiting: await listWaiting(db, mustBePerson(claims)) }),
  );

  server.get(
    '/events',
    {
      config: { roles: ['person'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'followChanges',
        summary: 'What changes in what the caller may see, as it happens',
        description:
          '`data` of each message is a Change, `event` its type. It ends after a minute, and is asked for again with the `id` of the last ' +
          'message as Last-Event-ID: then nothing is missed, or the first message is `look-again`. That is also the first one for who has ' +
          'just come: the lists are read after it.',
        tags: ['people'],
        headers: z.looseObject({
          'last-event-id': z
            .string()
            .max(60)
            .meta({ examples: ['4182'] })
            .optional()
            .describe('What came after this message is sent.'),
        }),
        response: { 200: eventStream('Each message is a Change.') },
      },
    },
    async ({ claims, headers }, reply) => {
      const person = mustBePerson(claims);
      const visible = await destinations.visibleConsortia(person);
      const reader = { person, consortia: visible && new Set(visible) };
      return sendStream(reply, (end) => follow(headers['last-event-id'], reader, end));
    },
  );

  async function* follow(
    lastId: string | undefined,
    reader: Reader,
    end: AbortSignal,
  ): AsyncGenerator<string> {
    const until = Date.now() + LONGEST_MS;
    let spokeAt = Date.now();
    const subscription = await changes.subscribe(lastId);
    try {
      yield GREETING;
      while (!end.aborted && Date.now() < until) {
        const messages = subscription.take(reader);
        const isSilent = Date.now() - spokeAt >= HEARTBEAT_MS;
        if (messages.length > 0 || isSilent) {
          yield messages.length > 0 ? messages.map(textOf).join('') : HEARTBEAT;
          spokeAt = Date.now();
        } else await subscription.wait(Math.min(HEARTBEAT_MS, until - Date.now()), end);
      }
    } finally {
      subscription.close();
    }
  }
  done();
};

const textOf = ({ id, change }: Message) =>
  `id: ${id}\nevent: ${change.type}\ndata: ${JSON.stringify(change)}\n\n`;
