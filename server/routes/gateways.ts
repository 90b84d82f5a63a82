/** Which site gateways there are. How each is heard is the route that it asks, among those of enrolment. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayList, GatewayName } from '../../workflows/identity-contract';
import type { Gateways } from '../sites/gateways';
import { nothing } from './responses';

export const gatewayRoutes: FastifyPluginCallbackZod<{ gateways: Gateways }> = (
  server,
  { gateways },
  done,
) => {
  server.get(
    '/gateways',
    {
      config: { roles: ['admin'] },
      schema: {
        operationId: 'listGateways',
        summary: 'The site gateways, and when each asked last',
        description:
          'One that ends in order is not listed from then on, and one that nobody has heard of for a week neither.',
        tags: ['health'],
        response: { 200: GatewayList },
      },
    },
    () => gateways.list(),
  );

  server.delete(
    '/gateways/:gateway',
    {
      config: { roles: ['gateway'] },
      schema: {
        operationId: 'removeGateway',
        summary: 'A gateway says that it ends, so that nobody misses it',
        tags: ['sites'],
        params: z.object({ gateway: GatewayName }),
        response: { 204: nothing },
      },
    },
    async ({ params: { gateway } }, reply) => {
      await gateways.remove(gateway);
      return reply.code(204).send();
    },
  );
  done();
};
