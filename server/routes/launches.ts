/** What workers ask to clean up after launches that nobody looks after any more. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { mapInBatches } from '../../storage/batch';
import { LaunchesBody, LaunchesLiveness } from '../../workflows/api-contract';
import type { Liveness } from '../runs/liveness';

/** Each asks Temporal a few things. */
const AT_ONCE = 8;

export const launchRoutes: FastifyPluginCallbackZod<{ liveness: Liveness }> = (
  server,
  { liveness },
  done,
) => {
  server.post(
    '/launches/live',
    {
      config: { roles: ['central', 'site'], needs: ['temporal'] },
      schema: {
        operationId: 'askLiveness',
        summary: 'Which of the launches that a worker holds something of are still live',
        description:
          '`over` is said only of what Temporal knows to have ended; a worker removes nothing of a launch that is `unknown`.',
        tags: ['nodes'],
        body: LaunchesBody,
        response: { 200: LaunchesLiveness },
      },
    },
    async ({ body, claims }) => ({
      launches: await mapInBatches(body.launches, AT_ONCE, async (launch) => ({
        ...launch,
        state:
          claims.role === 'site'
            ? await liveness.atSite(launch, claims.sub)
            : await liveness.atCentralHost(launch),
      })),
    }),
  );
  done();
};
