/** Invitations: by whom they are made, and how they are accepted. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  AcceptBody,
  Invitation,
  InvitationBody,
  InvitationList,
  Look,
  LookBody,
  Me,
  ThingId,
} from '../../workflows/people-contract';
import { mustBePerson } from '../access';
import type { Invitations, InvitationRow, MadeInvitation } from '../people/invitations';
import type { People } from '../people/people';
import type { SessionCookie } from '../people/session-cookie';
import { HttpProblem } from '../problem';
import { createRateLimit, mustWait, networkOf, type Rate } from '../rate-limit';
import { nothing } from './responses';

/** Codes from one address that are none. */
const FAILURES: Rate = { burst: 20, everyMs: 6_000 };

interface Deps {
  invitations: Invitations;
  people: People;
  cookie: SessionCookie;
  publicUrl: string;
}

/** The link of an invitation: what follows `#` is not sent to any server, and so in no log. */
export const linkOf = (publicUrl: string, made: MadeInvitation): Invitation => ({
  ...made,
  link: `${publicUrl}/invitation#${made.code}`,
});

export const invitationRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { invitations, people, cookie, publicUrl } = deps;
  const failures = createRateLimit(FAILURES);

  async function find(code: string, ip: string): Promise<InvitationRow> {
    const address = networkOf(ip);
    mustWait(failures, address);
    const found = await invitations.look(code);
    failures.giveBack(address);
    return found;
  }

  server.post(
    '/invitations',
    {
      config: { roles: ['person'], audit: 'invitation.create', refuses: ['unknown-consortium'] },
      schema: {
        operationId: 'invite',
        summary:
          'Invite somebody: make a link by which they get an account, or more to do with the one they have',
        description:
          'Good once, for a week. An admin grants anything, a lead roles in their own consortia, and whoever answers for a ' +
          'site that somebody administers it.',
        tags: ['people'],
        body: InvitationBody,
        response: { 201: Invitation },
      },
    },
    async (request, reply) => {
      const { email, ...grants } = request.body;
      const made = await invitations.create(mustBePerson(request.claims), request.body);
      const [only, ...others] = Object.keys(grants.consortia);
      const [site, ...otherSites] = grants.sites;
      request.auditDetail = { ...(email !== undefined && { email }), ...grants };
      request.auditAbout = {
        ...(only !== undefined && others.length === 0 && { consortiumId: only }),
        ...(site !== undefined && otherSites.length === 0 && { siteId: site }),
      };
      return reply.code(201).header('cache-control', 'no-store').send(linkOf(publicUrl, made));
    },
  );

  server.get(
    '/invitations',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'listInvitations',
        summary: 'The invitations that the caller made; for an admin all',
        description: 'The newest first, 500 at most.',
        tags: ['people'],
        response: { 200: InvitationList },
      },
    },
    async ({ claims }) => ({ invitations: await invitations.list(mustBePerson(claims)) }),
  );

  server.delete(
    '/invitations/:id',
    {
      config: { roles: ['person'], audit: 'invitation.revoke', refuses: ['unknown-invitation'] },
      schema: {
        operationId: 'revokeInvitation',
        summary: 'Take an invitation back that was not used',
        tags: ['people'],
        params: z.object({ id: ThingId }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!(await invitations.revoke(mustBePerson(request.claims), id)))
        throw new HttpProblem('unknown-invitation', 'There is no such open invitation of yours.');
      request.auditDetail = { invitation: id };
      return reply.code(204).send();
    },
  );

  server.post(
    '/invitations/look',
    {
      config: {
        roles: 'anyone',
        forBrowsers: true,
        audit: false,
        refuses: ['invalid-invitation', 'too-many-requests'],
      },
      schema: {
        operationId: 'lookAtInvitation',
        summary: 'What an invitation is for',
        tags: ['people'],
        body: LookBody,
        response: { 200: Look },
      },
    },
    async ({ body: { code }, ip }) => {
      const { email, expiresAt, grants, createdBy: by, resets } = await find(code, ip);
      return { ...grants, ...(email !== null && { email }), expiresAt, by, resets: resets !== null };
    },
  );

  server.post(
    '/invitations/accept',
    {
      config: {
        roles: 'anyone',
        forBrowsers: true,
        audit: 'invitation.accept',
        refuses: [
          'unauthenticated',
          'forbidden',
          'invalid-invitation',
          'account-exists',
          'too-many-requests',
        ],
      },
      schema: {
        operationId: 'acceptInvitation',
        summary: 'Accept an invitation',
        description:
          'Whoever is signed in gets what it grants. Others get an account by it and are signed in: `name` and `password` are ' +
          'needed, and `email` where the invitation does not say it. A link for a new password needs `password` alone.',
        tags: ['people'],
        body: AcceptBody,
        response: { 200: Me },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const invitation = await find(body.code, request.ip);
      const caller = await cookie.read(request);
      const isAccount = caller !== undefined && !caller.id.startsWith('operator:');
      request.auditDetail = { invitation: invitation.id, by: invitation.createdBy };
      if (invitation.resets === null && isAccount) {
        await invitations.add(invitation, caller);
        request.claims = caller;
        return people.me((await cookie.read(request)) ?? caller);
      }
      const personId =
        invitation.resets === null
          ? await invitations.join(invitation, newcomer(body, invitation))
          : await invitations.setPassword(invitation, mustHave(body, 'password'));
      request.claims = await cookie.signIn({ personId }, request, reply);
      return people.me(request.claims);
    },
  );
  done();
};

/** @throws HttpProblem `invalid-request` where something is missing, or another address is given */
function newcomer(body: AcceptBody, { email: invited }: InvitationRow) {
  if (invited !== null && body.email !== undefined && body.email !== invited)
    throw new HttpProblem('invalid-request', `The invitation is for ${invited}.`, [
      { pointer: '/email', detail: `must be ${invited}` },
    ]);
  return {
    name: mustHave(body, 'name'),
    email: invited ?? mustHave(body, 'email'),
    by: { password: mustHave(body, 'password') },
  };
}

function mustHave(body: AcceptBody, field: 'name' | 'email' | 'password'): string {
  const value = body[field];
  if (value !== undefined) return value;
  throw new HttpProblem('invalid-request', `A new account needs ${field}.`, [
    { pointer: `/${field}`, detail: 'is missing' },
  ]);
}
