/** The people of the instance, and who of them belongs to a consortium or administers a site. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConsortiumId, SiteId } from '../../workflows/contract';
import {
  Invitation,
  MemberList,
  NewPersonBody,
  PersonChange,
  PersonList,
  PersonView,
  RoleBody,
  SiteAdminList,
  ThingId,
} from '../../workflows/people-contract';
import { mustBePerson } from '../access';
import type { Invitations } from '../people/invitations';
import type { People } from '../people/people';
import { linkOf } from './invitations';
import { nothing } from './responses';

interface Deps {
  people: People;
  invitations: Invitations;
  publicUrl: string;
}

const PersonPath = z.object({ personId: ThingId });
const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
const SitePath = z.object({ siteId: SiteId });

export const peopleRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { people, invitations, publicUrl } = deps;

  server.get(
    '/people',
    {
      config: { roles: ['admin'] },
      schema: {
        operationId: 'listPeople',
        summary: 'Everybody who has an account, by their e-mail addresses',
        tags: ['people'],
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(100),
          after: z
            .string()
            .max(254)
            .meta({ examples: ['ada@palmer.example'] })
            .default('')
            .describe('The `next` of the page before.'),
        }),
        response: { 200: PersonList },
      },
    },
    async ({ query: { after, limit } }) => {
      const rows = await people.list(after, limit + 1);
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { people: page, ...(last && { next: last.email }) };
    },
  );

  server.post(
    '/people',
    {
      config: { roles: ['admin'], audit: 'person.add', refuses: ['account-exists'] },
      schema: {
        operationId: 'addPerson',
        summary: 'Make an account, with a password for the first sign-in',
        description:
          'For who cannot be sent a link. They have to choose another password before they can do anything.',
        tags: ['people'],
        body: NewPersonBody,
        response: { 201: PersonView },
      },
    },
    async (request, reply) => {
      const added = await people.add(request.body);
      request.auditDetail = { person: added.email };
      return reply.code(201).send(added);
    },
  );

  server.patch(
    '/people/:personId',
    {
      config: { roles: ['admin'], audit: 'person.change', refuses: ['last-admin'] },
      schema: {
        operationId: 'changePerson',
        summary: 'Make somebody an admin or not, disable or enable their account',
        tags: ['people'],
        params: PersonPath,
        body: PersonChange,
        response: { 200: PersonView },
      },
    },
    async (request) => {
      const changed = await people.change(request.params.personId, request.body);
      request.auditDetail = { person: changed.email, ...request.body };
      return changed;
    },
  );

  server.post(
    '/people/:personId/reset',
    {
      config: { roles: ['admin'], audit: 'person.reset' },
      schema: {
        operationId: 'resetPassword',
        summary: 'Make a link by which somebody sets their password anew',
        description: 'Good once, for a day. When it is used, their sessions and tokens end.',
        tags: ['people'],
        params: PersonPath,
        response: { 201: Invitation },
      },
    },
    async (request, reply) => {
      const { id, email } = await people.get(request.params.personId);
      request.auditDetail = { person: email };
      const made = await invitations.reset(mustBePerson(request.claims), id);
      return reply.code(201).header('cache-control', 'no-store').send(linkOf(publicUrl, made));
    },
  );

  server.get(
    '/consortia/:consortiumId/people',
    {
      config: { roles: ['viewer'] },
      schema: {
        operationId: 'listConsortiumPeople',
        summary: 'Who has which role in the consortium',
        tags: ['people'],
        params: ConsortiumPath,
        response: { 200: MemberList },
      },
    },
    async ({ params: { consortiumId } }) => ({ people: await people.membersOf(consortiumId) }),
  );

  server.put(
    '/consortia/:consortiumId/people/:personId',
    {
      config: { roles: ['lead'], audit: 'consortium.person', refuses: ['unknown-person', 'last-lead'] },
      schema: {
        operationId: 'setConsortiumRole',
        summary: 'Give somebody who has an account a role in the consortium',
        tags: ['people'],
        params: ConsortiumPath.extend(PersonPath.shape),
        body: RoleBody,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { consortiumId, personId } = request.params;
      const { role } = request.body;
      await people.setRole(mustBePerson(request.claims), consortiumId, personId, role);
      request.auditDetail = { person: (await people.get(personId)).email, role };
      return reply.code(204).send();
    },
  );

  server.delete(
    '/consortia/:consortiumId/people/:personId',
    {
      config: { roles: ['lead'], audit: 'consortium.person', refuses: ['last-lead'] },
      schema: {
        operationId: 'removeConsortiumPerson',
        summary: "Take somebody's role in the consortium away",
        tags: ['people'],
        params: ConsortiumPath.extend(PersonPath.shape),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { consortiumId, personId } = request.params;
      await people.setRole(mustBePerson(request.claims), consortiumId, personId, undefined);
      request.auditDetail = { person: (await people.get(personId)).email, role: 'none' };
      return reply.code(204).send();
    },
  );

  server.get(
    '/sites/:siteId/people',
    {
      config: { roles: ['siteAdmin'] },
      schema: {
        operationId: 'listSitePeople',
        summary: 'Who administers the site',
        tags: ['people'],
        params: SitePath,
        response: { 200: SiteAdminList },
      },
    },
    async ({ params: { siteId } }) => ({ people: await people.adminsOf(siteId) }),
  );

  server.put(
    '/sites/:siteId/people/:personId',
    {
      config: { roles: ['siteAdmin'], audit: 'site.person', refuses: ['unknown-person'] },
      schema: {
        operationId: 'addSitePerson',
        summary: 'Let somebody who has an account administer the site',
        tags: ['people'],
        params: SitePath.extend(PersonPath.shape),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { siteId, personId } = request.params;
      await people.setSiteAdmin(mustBePerson(request.claims), siteId, personId, true);
      request.auditDetail = { person: (await people.get(personId)).email, role: 'siteAdmin' };
      return reply.code(204).send();
    },
  );

  server.delete(
    '/sites/:siteId/people/:personId',
    {
      config: { roles: ['siteAdmin'], audit: 'site.person' },
      schema: {
        operationId: 'removeSitePerson',
        summary: 'Let somebody no longer administer the site',
        tags: ['people'],
        params: SitePath.extend(PersonPath.shape),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { siteId, personId } = request.params;
      await people.setSiteAdmin(mustBePerson(request.claims), siteId, personId, false);
      request.auditDetail = { person: (await people.get(personId)).email, role: 'none' };
      return reply.code(204).send();
    },
  );
  done();
};
