/** The sites of a consortium: who is invited, what they answer, and who leaves. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConsortiumView } from '../../workflows/api-contract';
import { AnswerInvitationBody, ConsortiumChanges, InviteSiteBody } from '../../workflows/consortium-contract';
import { ConsortiumId, SiteId } from '../../workflows/contract';
import { holds, mustBePerson } from '../access';
import type { Audit } from '../audit/audit';
import { ACTIONS, inWords } from '../consortia/changes';
import type { Consortia } from '../consortia/consortia';
import type { Step } from '../consortia/membership';
import { tagOf } from '../consortia/revision-tag';
import type { Database } from '../db/client';
import { HttpProblem } from '../problem';
import { isKnownSite } from '../sites/known-sites';

const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
const MemberPath = ConsortiumPath.extend({ siteId: SiteId });

interface Deps {
  db: Database;
  consortia: Consortia;
  audit: Audit;
}

export const membershipRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, consortia, audit }, done) => {
  server.post(
    '/consortia/:consortiumId/sites',
    {
      config: {
        roles: ['lead'],
        audit: 'consortium.invite',
        needs: ['keys'],
        refuses: ['unknown-site', 'membership-impossible', 'consortium-archived'],
      },
      schema: {
        operationId: 'inviteSite',
        summary: 'Invite a site',
        description:
          'It takes part once an administrator of the site has accepted. Whoever invites needs its id, and sees nothing more of ' +
          'it until then.',
        tags: ['consortia'],
        params: ConsortiumPath,
        body: InviteSiteBody,
        response: { 200: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { siteId, name } = request.body;
      if (!(await isKnownSite(db, siteId)))
        throw new HttpProblem(
          'unknown-site',
          `There is no site ${siteId}: ask its administrator for the id, or an admin to add it.`,
        );
      const step = { type: 'invite', name } as const;
      const { consortiumId } = request.params;
      const { after } = await consortia.takeStep(consortiumId, siteId, step, request.claims.sub);
      request.auditAbout = { siteId };
      request.auditDetail = {};
      return reply.header('etag', tagOf(after)).send(await consortia.view(after));
    },
  );

  server.post(
    '/consortia/:consortiumId/sites/:siteId/answer',
    {
      config: {
        roles: ['siteAdmin'],
        audit: 'consortium.answer',
        needs: ['keys'],
        refuses: ['unknown-membership', 'membership-impossible', 'consortium-archived'],
      },
      schema: {
        operationId: 'answerInvitation',
        summary: 'Accept the invitation of a site, or decline it',
        description:
          'For administrators of the site. Who has accepted can accept again, to name another dataset. A run that was started before ' +
          'keeps what it began with.',
        tags: ['consortia'],
        params: MemberPath,
        body: AnswerInvitationBody,
        response: { 200: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { body, claims } = request;
      const { consortiumId, siteId } = request.params;
      const step: Step = body.accept
        ? { type: 'accept', dataset: body.dataset, name: body.name }
        : { type: 'decline', reason: body.reason };
      const { after } = await consortia.takeStep(consortiumId, siteId, step, claims.sub);
      request.auditDetail = { ...body };
      return reply.header('etag', tagOf(after)).send(await consortia.view(after));
    },
  );

  server.delete(
    '/consortia/:consortiumId/sites/:siteId',
    {
      config: {
        roles: ['lead', 'siteAdmin'],
        audit: 'consortium.part',
        needs: ['keys'],
        refuses: ['unknown-membership'],
      },
      schema: {
        operationId: 'removeSite',
        summary: 'Let a site go, or leave as one',
        description:
          'For leads, who also take back an invitation by it, and for administrators of the site. The next runs go on without it; ' +
          'one that was started before keeps what it began with.',
        tags: ['consortia'],
        params: MemberPath,
        response: { 200: ConsortiumView },
      },
    },
    async (request, reply) => {
      const { consortiumId, siteId } = request.params;
      const person = mustBePerson(request.claims);
      const isSites =
        person.sites.includes(siteId) && !holds({ ...person, admin: false }, consortiumId, 'lead');
      const step: Step = { type: isSites ? 'leave' : 'remove' };
      const { after } = await consortia.takeStep(consortiumId, siteId, step, person.sub);
      request.auditDetail = { by: isSites ? 'site' : 'consortium' };
      return reply.header('etag', tagOf(after)).send(await consortia.view(after));
    },
  );
  server.get(
    '/consortia/:consortiumId/changes',
    {
      config: { roles: ['viewer', 'siteAdmin'], needs: ['keys'] },
      schema: {
        operationId: 'listChanges',
        summary: 'What was changed of a consortium, the newest first',
        description:
          'By whom, when and what, by name: of secrets, and of values as a whole, there is no more.',
        tags: ['consortia'],
        params: ConsortiumPath,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(100),
          after: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
        }),
        response: { 200: ConsortiumChanges },
      },
    },
    async ({ params: { consortiumId: consortium }, query: { after: before, limit } }) => {
      await consortia.get(consortium);
      const query = { consortium, before, limit: limit + 1, actions: ACTIONS };
      const entries = await audit.read(query, undefined);
      const changes = entries.slice(0, limit).map(inWords);
      const last = entries.length > limit ? changes.at(-1) : undefined;
      return { changes, ...(last && { next: last.id }) };
    },
  );
  done();
};
