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
import { CreateConsortiumBody, PatchConsortiumBody } from '../../workflows/consortium-contract';
import { ConsortiumId } from '../../workflows/contract';
import { mustBePerson } from '../access';
import type { Consortia } from '../consortia/consortia';
import { whatChanged } from '../consortia/changes';
import { mustBeMeant, tagOf } from '../consortia/revision-tag';
import type { Destinations } from '../people/destinations';
import type { Links } from '../runs/links';
import type { StartRun } from '../runs/start';
import { IdempotencyKey, YesNo } from './responses';

const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
interface Deps {
  consortia: Consortia;
  destinations: Destinations;
  startRun: StartRun;
  links: Links;
}

const SECRETS =
  "Parameters that the computation's schema marks `writeOnly` are taken, and shown to nobody. One that is left out stays " +
  'what it was, as long as the consortium keeps its computation; `null` takes it away, and so does leaving out the object ' +
  'that it is in.';

export const consortiumRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { consortia, destinations, startRun, links } = deps;

  server.post(
    '/consortia',
    {
      config: {
        roles: ['person'],
        audit: 'consortium.create',
        refuses: ['unknown-computation', 'consortium-exists', 'invalid-computation', 'invalid-parameters'],
      },
      schema: {
        operationId: 'createConsortium',
        summary: 'Found a consortium, and lead it',
        description:
          'It has no sites yet: they are invited. Its computation and parameters may be chosen later; parameters that are given ' +
          'have to fit. ' +
          SECRETS,
        tags: ['consortia'],
        body: CreateConsortiumBody,
        response: { 201: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { body, claims } = request;
      const consortium = await consortia.create(body, mustBePerson(claims));
      request.auditAbout = { consortiumId: consortium.id };
      request.auditDetail = { name: consortium.name };
      reply.header('etag', tagOf(consortium)).header('location', `/api/consortia/${consortium.id}`);
      return reply.code(201).send(await consortia.view(consortium));
    },
  );

  server.put(
    '/consortia/:consortiumId',
    {
      config: {
        roles: ['admin'],
        audit: 'consortium.put',
        needs: ['keys'],
        refuses: ['unknown-computation'],
      },
      schema: {
        operationId: 'putConsortium',
        summary: 'Create a consortium, or replace it',
        description: `Its sites count as having accepted, and others that had are removed. ${SECRETS}`,
        tags: ['consortia'],
        params: ConsortiumPath,
        body: ConsortiumBody,
        response: { 200: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { body, claims } = request;
      const { before, after: consortium } = await consortia.put(
        request.params.consortiumId,
        body,
        claims.sub,
      );
      request.auditDetail = whatChanged(before, consortium);
      return reply.header('etag', tagOf(consortium)).send(await consortia.view(consortium));
    },
  );

  server.patch(
    '/consortia/:consortiumId',
    {
      config: {
        roles: ['lead'],
        audit: 'consortium.change',
        needs: ['keys'],
        refuses: ['unknown-computation', 'invalid-computation', 'invalid-parameters'],
      },
      schema: {
        operationId: 'changeConsortium',
        summary: 'Change what is given of a consortium',
        description:
          'Send as `If-Match` the ETag of what you have looked at: if it was changed meanwhile, nothing is changed (412). A run ' +
          `that was started before keeps what it began with. ${SECRETS}`,
        tags: ['consortia'],
        params: ConsortiumPath,
        headers: z.looseObject({
          'if-match': z
            .string()
            .max(200)
            .meta({ examples: ['"r7"'] })
            .optional(),
        }),
        body: PatchConsortiumBody,
        response: { 200: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { headers, body } = request;
      const meant = mustBeMeant(headers['if-match']);
      const { before, after } = await consortia.patch(request.params.consortiumId, body, meant);
      request.auditDetail = whatChanged(before, after);
      return reply.header('etag', tagOf(after)).send(await consortia.view(after));
    },
  );

  server.delete(
    '/consortia/:consortiumId',
    {
      config: { roles: ['lead'], audit: 'consortium.archive', needs: ['keys'] },
      schema: {
        operationId: 'archiveConsortium',
        summary: 'Archive a consortium: no run of it is started from now on',
        description:
          'Its runs stay, and it is listed only where archived ones are asked for; `PATCH` with `archived: false` takes it out ' +
          'again. Its id is never given to another, for sites may allow it by that id.',
        tags: ['consortia'],
        params: ConsortiumPath,
        response: { 200: ConsortiumView },
      },
    },
    async ({ params: { consortiumId: id } }, reply) => {
      const { after } = await consortia.archive(id);
      return reply.header('etag', tagOf(after)).send(await consortia.view(after));
    },
  );

  server.get(
    '/consortia',
    {
      config: { roles: ['person', 'central'], needs: ['keys'] },
      schema: {
        operationId: 'listConsortia',
        summary: 'The consortia that the caller may see',
        tags: ['consortia'],
        querystring: z.object({
          archived: YesNo.prefault('false').describe('Also those that are archived.'),
        }),
        response: { 200: ConsortiumList },
      },
    },
    async ({ query: { archived }, claims }) => {
      const visible = await consortia.list(await destinations.visibleConsortia(claims), archived);
      return { consortia: await Promise.all(visible.map((one) => consortia.view(one))) };
    },
  );

  server.get(
    '/consortia/:consortiumId',
    {
      config: { roles: ['viewer', 'siteAdmin', 'central'], needs: ['keys'] },
      schema: {
        operationId: 'getConsortium',
        summary: 'A consortium',
        description: 'Its ETag is what a change names as `If-Match`.',
        tags: ['consortia'],
        params: ConsortiumPath,
        response: { 200: ConsortiumView },
      },
    },
    async ({ params: { consortiumId } }, reply) => {
      const consortium = await consortia.get(consortiumId);
      return reply.header('etag', tagOf(consortium)).send(await consortia.view(consortium));
    },
  );

  server.post(
    '/consortia/:consortiumId/runs',
    {
      config: {
        roles: ['lead'],
        scope: 'run',
        audit: 'run.start',
        needs: ['keys', 'temporal'],
        refuses: [
          'unknown-computation',
          'consortium-incomplete',
          'invalid-computation',
          'invalid-parameters',
          'idempotency-key-reused',
        ],
      },
      schema: {
        operationId: 'startRun',
        summary: "Start a run of the consortium's computation",
        description:
          'At the sites that have accepted; whether they are ready is `getConsortiumReadiness`, and keeps no run from being started. ' +
          "A run that brings parameters of its own gets the consortium's secret ones too, where it leaves them out; `null` is for none.",
        tags: ['runs'],
        params: ConsortiumPath,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: StartRunBody.nullish(),
        response: {
          200: StartedRun.describe('The run that was started with this Idempotency-Key before.'),
          201: StartedRun.describe('A new run.'),
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
