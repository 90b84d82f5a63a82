/** Sites: what their edge workers say of themselves, and who is there. */
import { asc, inArray } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PresenceBody, SiteList, type SiteView } from '../../workflows/api-contract';
import { ConsortiumId, SiteId } from '../../workflows/contract';
import { mustBeNode, mustSee, visibleConsortia } from '../access';
import type { Database } from '../db/client';
import { consortia } from '../db/schema';
import { readStandings } from '../identity/standing';
import type { Presence } from '../sites/presence';
import { nothing, problems } from './responses';

interface Deps {
  db: Database;
  presence: Presence;
}

export const siteRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, presence }, done) => {
  server.post(
    '/sites/:siteId/presence',
    {
      config: { roles: ['site'] },
      schema: {
        operationId: 'reportPresence',
        summary: 'An edge worker says that it is there, or that it ends',
        tags: ['sites'],
        params: z.object({ siteId: SiteId }),
        body: PresenceBody,
        response: { 204: nothing, ...problems },
      },
    },
    async ({ params: { siteId }, body, claims }, reply) => {
      mustBeNode(claims, siteId);
      await presence.hear(siteId, body);
      return reply.code(204).send();
    },
  );

  server.get(
    '/sites',
    {
      config: { roles: ['admin', 'lead'] },
      schema: {
        operationId: 'listSites',
        summary:
          'The sites that the caller may see, whether they have joined, and whether their edge workers are there',
        description:
          'A lead sees those that their consortia name; an admin also those that no consortium names (any more).',
        tags: ['sites'],
        querystring: z.object({ consortium: ConsortiumId.optional() }),
        response: { 200: SiteList, ...problems },
      },
    },
    async ({ query: { consortium }, claims }) => {
      if (consortium !== undefined) mustSee(claims, consortium);
      const visible = consortium === undefined ? visibleConsortia(claims) : [consortium];
      return { sites: await listSites(visible) };
    },
  );

  /** @param visible the consortia that may be looked at; without it, all there is */
  async function listSites(visible: string[] | undefined): Promise<SiteView[]> {
    const rows = await db
      .select()
      .from(consortia)
      .where(visible && inArray(consortia.id, visible))
      .orderBy(asc(consortia.id));
    const found = new Map<string, SiteView>();
    for (const { id: consortium, body } of rows) {
      for (const { id, name } of body.sites) {
        const known = found.get(id) ?? { ...unseen(id), name };
        found.set(id, { ...known, consortia: [...known.consortia, consortium] });
      }
    }
    for (const { siteId: id, state: _state, ...heard } of await presence.sites()) {
      const known = found.get(id) ?? (visible === undefined ? { id, consortia: [] } : undefined);
      if (known) found.set(id, { ...known, ...heard });
    }
    for (const [id, standing] of await readStandings(db)) {
      const known = found.get(id) ?? (visible === undefined ? unseen(id) : undefined);
      if (known) found.set(id, { ...known, standing });
    }
    return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
  done();
};

/** A site of which nothing is known yet. */
const unseen = (id: string): SiteView => ({ id, consortia: [], presence: 'unknown' });
