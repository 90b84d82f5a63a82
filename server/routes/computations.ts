/** Computations: registered once per version, and referred to by consortia. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ComputationList, ComputationRecord } from '../../workflows/api-contract';
import { Computation, ComputationRef } from '../../workflows/contract';
import type { Registry } from '../registry/computations';
import { nothing, YesNo } from './responses';

interface Deps {
  registry: Registry;
}

export const computationRoutes: FastifyPluginCallbackZod<Deps> = (server, { registry }, done) => {
  server.post(
    '/computations',
    {
      config: {
        roles: ['admin'],
        audit: 'computation.add',
        needs: ['temporal'],
        refuses: [
          'computation-exists',
          'invalid-computation',
          'image-unavailable',
          'image-pending',
          'no-central-worker',
        ],
      },
      schema: {
        operationId: 'addComputation',
        summary: 'Register a version of a computation',
        description:
          'The body is the content of computation.yaml. Its image is looked up on a central host, pulled if need be, and named by ' +
          'digest from then on. The same manifest once more changes nothing.',
        tags: ['computations'],
        querystring: z.object({
          replace: YesNo.prefault('false').describe('Whether another manifest of this version is replaced.'),
        }),
        body: Computation,
        response: {
          200: ComputationRecord.describe('What was registered before, or replaced.'),
          201: ComputationRecord.describe('A new version.'),
        },
      },
    },
    async (request, reply) => {
      const { body, claims } = request;
      const { replace } = request.query;
      request.auditDetail = { name: body.name, version: body.version, replace };
      const { record, isNew } = await registry.add(body, claims.sub, replace);
      return reply.code(isNew ? 201 : 200).send(record);
    },
  );

  server.get(
    '/computations',
    {
      config: { roles: ['person', 'central'] },
      schema: {
        operationId: 'listComputations',
        summary: 'All versions of all computations',
        tags: ['computations'],
        response: { 200: ComputationList },
      },
    },
    async () => ({ computations: await registry.list() }),
  );

  server.get(
    '/computations/:name/:version',
    {
      config: { roles: ['person', 'central'], refuses: ['unknown-computation'] },
      schema: {
        operationId: 'getComputation',
        summary: 'A version of a computation',
        tags: ['computations'],
        params: ComputationRef,
        response: { 200: ComputationRecord },
      },
    },
    ({ params }) => registry.get(params),
  );

  server.delete(
    '/computations/:name/:version',
    {
      config: {
        roles: ['admin'],
        audit: 'computation.remove',
        refuses: ['unknown-computation', 'computation-in-use'],
      },
      schema: {
        operationId: 'removeComputation',
        summary: 'Remove a version that no consortium uses',
        description: 'Runs that were started with it know all that they need.',
        tags: ['computations'],
        params: ComputationRef,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { params } = request;
      request.auditDetail = params;
      await registry.remove(params);
      return reply.code(204).send();
    },
  );
  done();
};
