/** Sites: what their edge workers say of themselves, and who is there. */
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PresenceBody, SiteList, type SiteView } from '../../workflows/api-contract';
import { ConsortiumId, SiteId } from '../../workflows/contract';
import { mustBeNode } from '../access';
import type { Database } from '../db/client';
import { memberships } from '../db/schema';
import { readStandings } from '../identity/standing';
import type { Destinations } from '../people/destinations';
import type { Presence } from '../sites/presence';
import { nothing, problems } from './responses';

interface Deps {
  db: Database;
  destinations: Destinations;
  presence: Presence;
}

export const siteRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, destinations, presence }, done) => {
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
      config: { roles: ['person'] },
      schema: {
        operationId: 'listSites',
        summary:
          'The sites that the caller may see, whether they have joined, and whether their edge workers are there',
        description:
          'One sees those that administer oneself, and those that the consortia name that one may see; an admin also those that no consortium names (any more).',
        tags: ['sites'],
        querystring: z.object({ consortium: ConsortiumId.optional() }),
        response: { 200: SiteList, ...problems },
      },
    },
    async ({ query: { consortium }, claims }) => {
      const visible = await destinations.visibleConsortia(claims);
      const own = claims.role === 'person' ? claims.sites : [];
      if (consortium === undefined) return { sites: await listSites(visible, own) };
      if (visible?.includes(consortium) ?? true) return { sites: await listSites([consortium], []) };
      return { sites: [] };
    },
  );

  /**
   * @param visible the consortia that may be looked at; without it, all there is
   * @param own sites that are shown whoever names them
   */
  async function listSites(visible: string[] | undefined, own: readonly string[]): Promise<SiteView[]> {
    const rows = await db
      .select()
      .from(memberships)
      // Who is only invited has not agreed to be looked at.
      .where(and(eq(memberships.state, 'accepted'), visible && inArray(memberships.consortiumId, visible)))
      .orderBy(asc(memberships.consortiumId), asc(memberships.position));
    const found = new Map<string, SiteView>(own.map((id) => [id, unseen(id)]));
    for (const { siteId: id, consortiumId: consortium, name } of rows) {
      const known = found.get(id) ?? { ...unseen(id), name };
      found.set(id, { ...known, consortia: [...known.consortia, consortium] });
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
