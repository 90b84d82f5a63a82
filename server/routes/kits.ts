/** The kits of a launch, as the central worker that makes them tells of them. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { RunKitsBody } from '../../workflows/api-contract';
import { LaunchRef } from '../../workflows/contract';
import type { KitKeys } from '../runs/kit-keys';
import { nothing } from './responses';

const PATH = '/runs/:runId/launches/:launchId/kits';

export const kitRoutes: FastifyPluginCallbackZod<{ kitKeys: KitKeys }> = (server, { kitKeys }, done) => {
  server.put(
    PATH,
    {
      config: { roles: ['central'], refuses: ['run-ended', 'run-differs', 'kits-differ'] },
      schema: {
        operationId: 'putRunKits',
        summary: 'What the kits of sites are, and what each is sealed with',
        description: 'Sent again, it changes nothing. Other kits for the same launch are refused.',
        tags: ['nodes'],
        params: LaunchRef,
        body: RunKitsBody,
        response: { 204: nothing },
      },
    },
    async ({ params, body }, reply) => {
      await kitKeys.put(params, body);
      return reply.code(204).send();
    },
  );

  server.delete(
    PATH,
    {
      config: { roles: ['central'] },
      schema: {
        operationId: 'removeRunKits',
        summary: 'The kits of a launch are removed: what they are sealed with is forgotten',
        tags: ['nodes'],
        params: LaunchRef,
        response: { 204: nothing },
      },
    },
    async ({ params }, reply) => {
      await kitKeys.remove(params);
      return reply.code(204).send();
    },
  );
  done();
};
