/** Sites: what their edge workers say of themselves, and who is there. */
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PresenceBody, SiteDetail, SiteList, type SiteView } from '../../workflows/api-contract';
import {
  AnswerAskBody,
  AskAnswer,
  AskId,
  SiteAnswers,
  SiteNews,
  type Ask,
} from '../../workflows/consortium-contract';
import { ConsortiumId, SiteId } from '../../workflows/contract';
import { answersFor, mustBeNode, mustBePerson, type Person } from '../access';
import type { Consortia, Consortium } from '../consortia/consortia';
import { consortiaOf } from '../consortia/memberships-of';
import type { Database } from '../db/client';
import { memberships } from '../db/schema';
import { readStandings } from '../identity/standing';
import type { Destinations } from '../people/destinations';
import { addedBy, type FindSiteTies } from '../people/site-ties';
import { HttpProblem } from '../problem';
import type { Answers } from '../sites/answers';
import { isKnownSite } from '../sites/known-sites';
import type { Presence } from '../sites/presence';
import type { Readiness } from '../sites/readiness';
import { readTold } from '../sites/told';

interface Deps {
  db: Database;
  destinations: Destinations;
  findSiteTies: FindSiteTies;
  consortia: Consortia;
  presence: Presence;
  readiness: Readiness;
  answers: Answers;
}

export const siteRoutes: FastifyPluginCallbackZod<Deps> = (
  server,
  { db, destinations, findSiteTies, consortia, presence, readiness, answers },
  done,
) => {
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
        response: { 200: SiteNews },
      },
    },
    async ({ params: { siteId }, body, claims }) => {
      mustBeNode(claims, siteId);
      await presence.hear(siteId, body);
      return readiness.news(siteId);
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
          'One sees those that one administers, or has added while nobody does, and those that the consortia name that one may see; an admin also those that no consortium names (any more).',
        tags: ['sites'],
        querystring: z.object({ consortium: ConsortiumId.optional() }),
        response: { 200: SiteList },
      },
    },
    async ({ query: { consortium }, claims }) => {
      const visible = await destinations.visibleConsortia(claims);
      const own = claims.role === 'person' ? await ownSites(claims) : [];
      if (consortium === undefined) return { sites: await listSites(visible, own) };
      if (visible?.includes(consortium) ?? true) return { sites: await listSites([consortium], []) };
      return { sites: [] };
    },
  );

  server.get(
    '/sites/:siteId',
    {
      config: { roles: ['person'], needs: ['keys'], refuses: ['unknown-site'] },
      schema: {
        operationId: 'getSite',
        summary: 'A site: whether it is there, what it lets run in its own words, and what waits for it',
        description:
          'Its administrators see all of it; others what the consortia that they share with it know: no invitations, and not what waits there.',
        tags: ['sites'],
        params: z.object({ siteId: SiteId }),
        response: { 200: SiteDetail },
      },
    },
    async ({ params: { siteId }, claims }) => {
      const person = mustBePerson(claims);
      const { admin, sites } = person;
      const isOwn = admin || sites.includes(siteId);
      const visible = await destinations.visibleConsortia(claims);
      const own = admin ? [siteId] : await ownSites(person);
      const [site] = (await listSites(visible, own)).filter(({ id }) => id === siteId);
      if (site === undefined || (admin && !(await isKnownSite(db, siteId))))
        throw new HttpProblem('unknown-site', `There is no site ${siteId} that you may see.`);
      const ids = isOwn ? await consortiaOf(db, [siteId], ['invited', 'accepted']) : site.consortia;
      const told = await readTold(db, siteId);
      return {
        site,
        memberships: (await consortia.list(ids)).flatMap((one) => membershipsIn(one, siteId)),
        asks: isOwn && told ? await asksWithAnswers(siteId, told.body.asks) : [],
        mayEnrol: answersFor(person, await findSiteTies(siteId)),
        ...(told && { policy: told.body.policy, saidAt: told.at }),
      };
    },
  );

  server.post(
    '/sites/:siteId/asks/:askId/answer',
    {
      config: {
        roles: ['siteAdmin'],
        audit: 'site.answer-ask',
        refuses: ['unknown-ask', 'answered-at-site', 'already-answered'],
      },
      schema: {
        operationId: 'answerAsk',
        summary: 'Let a run start that waits at a site for a person, or refuse it',
        description:
          'For a site whose own file says `approval: page`; at any other it is answered there. The id of what is asked stands for ' +
          'all of it: run, consortium, computation with image and command, dataset. The first answer stands; the site takes it with its ' +
          'next sign of life, and the run goes on soon after.',
        tags: ['sites'],
        params: z.object({ siteId: SiteId, askId: AskId }),
        body: AnswerAskBody,
        response: { 200: AskAnswer },
      },
    },
    async (request) => {
      const { params, body, claims } = request;
      const { ask, answer } = await answers.answer(params.siteId, params.askId, body, claims.sub);
      const { name, version } = ask.computation;
      request.auditAbout = { runId: ask.runId };
      request.auditDetail = {
        ...{ verdict: body.verdict, computation: `${name} ${version}`, dataset: ask.dataset },
        ...(body.verdict === 'refused' && { reason: body.why }),
      };
      return answer;
    },
  );

  server.get(
    '/site/answers',
    {
      config: { roles: ['site'] },
      schema: {
        operationId: 'getAnswers',
        summary: 'What people said on the page of runs that wait at the site, and the site has not taken yet',
        tags: ['sites'],
        response: { 200: SiteAnswers },
      },
    },
    async ({ claims }) => ({ answers: await answers.of(claims.sub) }),
  );

  async function asksWithAnswers(siteId: string, asks: readonly Ask[]): Promise<SiteDetail['asks']> {
    const given = new Map((await answers.of(siteId)).map(({ askId, ...answer }) => [askId, answer]));
    return asks.map((ask) => {
      const answer = given.get(ask.id);
      return answer ? { ...ask, answer } : ask;
    });
  }

  /** Those that the person administers, or has added while nobody does. */
  const ownSites = async ({ id, sites }: Person) => [...sites, ...(await addedBy(db, id))];

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

/** How the site stands in the consortium. */
function membershipsIn(
  { id, name, computation, memberships }: Consortium,
  siteId: string,
): SiteDetail['memberships'] {
  return memberships
    .filter((one) => one.siteId === siteId)
    .map(({ siteId: _known, ...one }) => ({
      ...one,
      consortium: { id, name },
      ...(computation && { computation }),
    }));
}

/** A site of which nothing is known yet. */
const unseen = (id: string): SiteView => ({ id, consortia: [], presence: 'unknown' });
