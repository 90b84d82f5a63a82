/** Consortia: who belongs together, what they compute, with which parameters; and the starting of their runs. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  ConsortiumBody,
  ConsortiumList,
  ConsortiumView,
  StartedRun,
  StartRunBody,
} from '../../workflows/api-contract';
import { ConsortiumId } from '../../workflows/contract';
import type { Destinations } from '../people/destinations';
import type { Consortia } from '../registry/consortia';
import type { Links } from '../runs/links';
import type { StartRun } from '../runs/start';
import { IdempotencyKey, problems } from './responses';

const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
interface Deps {
  consortia: Consortia;
  destinations: Destinations;
  startRun: StartRun;
  links: Links;
}

export const consortiumRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { consortia, destinations, startRun, links } = deps;

  server.put(
    '/consortia/:consortiumId',
    {
      config: { roles: ['admin'], audit: 'consortium.put' },
      schema: {
        operationId: 'putConsortium',
        summary: 'Create a consortium, or replace it',
        description:
          "Parameters that the computation's schema marks `writeOnly` are taken, and shown to nobody. One that is left out stays " +
          'what it was, as long as the consortium keeps its computation; `null` takes it away, and so does leaving out the object ' +
          'that it is in.',
        tags: ['consortia'],
        params: ConsortiumPath,
        body: ConsortiumBody,
        response: { 200: ConsortiumView, ...problems },
      },
    },
    async ({ params: { consortiumId: id }, body }) => consortia.view(await consortia.put(id, body)),
  );

  server.get(
    '/consortia',
    {
      config: { roles: ['person', 'central'] },
      schema: {
        operationId: 'listConsortia',
        summary: 'The consortia that the caller may see',
        tags: ['consortia'],
        response: { 200: ConsortiumList, ...problems },
      },
    },
    async ({ claims }) => {
      const visible = await consortia.list(await destinations.visibleConsortia(claims));
      return { consortia: await Promise.all(visible.map((one) => consortia.view(one))) };
    },
  );

  server.get(
    '/consortia/:consortiumId',
    {
      config: { roles: ['viewer', 'siteAdmin', 'central'] },
      schema: {
        operationId: 'getConsortium',
        summary: 'A consortium',
        tags: ['consortia'],
        params: ConsortiumPath,
        response: { 200: ConsortiumView, ...problems },
      },
    },
    async ({ params: { consortiumId } }) => consortia.view(await consortia.get(consortiumId)),
  );

  server.post(
    '/consortia/:consortiumId/runs',
    {
      config: { roles: ['lead'], scope: 'run', audit: 'run.start' },
      schema: {
        operationId: 'startRun',
        summary: "Start a run of the consortium's computation",
        description:
          "A run that brings parameters of its own gets the consortium's secret ones too, where it leaves them out; `null` is for none.",
        tags: ['runs'],
        params: ConsortiumPath,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: StartRunBody.nullish(),
        response: {
          200: StartedRun.describe('The run that was started with this Idempotency-Key before.'),
          201: StartedRun.describe('A new run.'),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { headers, body, claims } = request;
      const { consortiumId } = request.params;
      const consortium = await consortia.get(consortiumId);
      const { runId, seen } = await startRun({
        consortium,
        requested: body?.parameters,
        idempotencyKey: headers['idempotency-key'],
        startedBy: claims.sub,
      });
      request.auditAbout = { runId };
      return reply.code(seen ? 200 : 201).send({ runId, ...links(runId) });
    },
  );
  done();
};
