/** Who is ready for a run: what sites are asked behind their own door, what they say, and what the consortium reads of it. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConsortiumReadiness, ReadinessBody, SiteMemberships } from '../../workflows/consortium-contract';
import { ConsortiumId } from '../../workflows/contract';
import { missingIn, type Consortia } from '../consortia/consortia';
import type { Readiness } from '../sites/readiness';
import { nothing } from './responses';

interface Deps {
  consortia: Consortia;
  readiness: Readiness;
}

export const readinessRoutes: FastifyPluginCallbackZod<Deps> = (server, { consortia, readiness }, done) => {
  server.get(
    '/consortia/:consortiumId/readiness',
    {
      config: { roles: ['viewer', 'siteAdmin'], needs: ['keys'] },
      schema: {
        operationId: 'getConsortiumReadiness',
        summary: 'Whether a run could start now, and at which sites',
        description:
          'Each site judges it by its own site.yaml, and says no more than is here. A site that is not ready keeps no run from being ' +
          'started: the run waits for it, or fails, as its computation says.',
        tags: ['consortia'],
        params: z.object({ consortiumId: ConsortiumId }),
        response: { 200: ConsortiumReadiness },
      },
    },
    async ({ params: { consortiumId } }) => {
      const consortium = await consortia.get(consortiumId);
      return { missing: missingIn(consortium), sites: await readiness.of(consortium) };
    },
  );

  server.get(
    '/site/memberships',
    {
      config: { roles: ['site'], needs: ['keys'] },
      schema: {
        operationId: 'getMemberships',
        summary: 'The consortia that the site takes part in, with what they would run there',
        tags: ['sites'],
        response: { 200: SiteMemberships },
      },
    },
    ({ claims }) => readiness.membershipsOf(claims.sub),
  );

  server.post(
    '/site/readiness',
    {
      config: { roles: ['site'] },
      schema: {
        operationId: 'reportReadiness',
        summary: 'An edge worker says what its site would let run',
        description: 'Whenever that is something else than before. Where the data is stays at the site.',
        tags: ['sites'],
        body: ReadinessBody,
        response: { 204: nothing },
      },
    },
    async ({ body, claims }, reply) => {
      await readiness.hear(claims.sub, body);
      return reply.code(204).send();
    },
  );
  done();
};
