/** What people see and change of their own: who they are here, their password, sessions and tokens. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  maxTokenLifetimeMs,
  Me,
  NewPasswordBody,
  NewToken,
  NewTokenBody,
  SessionList,
  ThingId,
  TokenList,
} from '../../workflows/people-contract';
import { mustBePerson, type Caller, type Person } from '../access';
import type { ApiTokens } from '../people/api-tokens';
import type { LocalAccounts } from '../people/local-accounts';
import type { People } from '../people/people';
import type { Sessions } from '../people/sessions';
import { HttpProblem } from '../problem';
import { nothing } from './responses';

interface Deps {
  accounts: LocalAccounts;
  people: People;
  sessions: Sessions;
  apiTokens: ApiTokens;
}

const ThingPath = z.object({ id: ThingId });

export const meRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { accounts, people, sessions, apiTokens } = deps;

  server.get(
    '/me',
    {
      config: { roles: ['person'], beforePassword: true },
      schema: {
        operationId: 'getMe',
        summary: 'Who the caller is, and what they may do',
        tags: ['people'],
        response: { 200: Me },
      },
    },
    ({ claims }) => people.me(mustBePerson(claims)),
  );

  server.put(
    '/me/password',
    {
      config: { roles: ['person'], beforePassword: true, audit: 'password.change' },
      schema: {
        operationId: 'changePassword',
        summary: "Change one's own password",
        description: 'Ends all other sessions of the caller. By a session only.',
        tags: ['people'],
        body: NewPasswordBody,
        response: { 204: nothing },
      },
    },
    async ({ claims, body: { current, next } }, reply) => {
      await accounts.change(mustBeSignedIn(claims), current, next);
      return reply.code(204).send();
    },
  );

  server.get(
    '/me/sessions',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'listSessions',
        summary: 'Where the caller is signed in',
        tags: ['people'],
        response: { 200: SessionList },
      },
    },
    async ({ claims }) => ({ sessions: await sessions.list(mustBePerson(claims)) }),
  );

  server.delete(
    '/me/sessions/:id',
    {
      config: { roles: ['person'], audit: 'session.end', refuses: ['unknown-session'] },
      schema: {
        operationId: 'endSession',
        summary: "End one of one's sessions",
        tags: ['people'],
        params: ThingPath,
        response: { 204: nothing },
      },
    },
    async ({ claims, params: { id } }, reply) => {
      if (!(await sessions.end(mustBePerson(claims), id)))
        throw new HttpProblem('unknown-session', 'There is no such session of yours.');
      return reply.code(204).send();
    },
  );

  server.get(
    '/me/tokens',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'listTokens',
        summary: "The caller's personal tokens",
        description: 'The tokens themselves are shown when they are made, and never again.',
        tags: ['people'],
        response: { 200: TokenList },
      },
    },
    async ({ claims }) => ({ tokens: await apiTokens.list(mustBePerson(claims).id) }),
  );

  server.post(
    '/me/tokens',
    {
      config: { roles: ['person'], audit: 'token.create' },
      schema: {
        operationId: 'createToken',
        summary: 'Make a personal token, for a program',
        description:
          'Sent as `Authorization: Bearer muster_...`. With `read` it may look, with `run` also start, stop and retry runs, with ' +
          '`all` do what its owner may do, but make tokens or change the password. By a session only.',
        tags: ['people'],
        body: NewTokenBody,
        response: { 201: NewToken },
      },
    },
    async (request, reply) => {
      const person = mustBeSignedIn(request.claims);
      const { name, scope, expiresAt } = request.body;
      const lifetime = expiresAt - Date.now();
      if (lifetime <= 0 || lifetime > maxTokenLifetimeMs)
        throw new HttpProblem('invalid-request', 'The token has to expire within a year.', [
          { pointer: '/expiresAt', detail: 'is not within a year from now' },
        ]);
      request.auditDetail = { name, scope, expiresAt };
      const token = await apiTokens.create(person.id, { name, scope, expiresAt });
      return reply.code(201).header('cache-control', 'no-store').send(token);
    },
  );

  server.delete(
    '/me/tokens/:id',
    {
      config: { roles: ['person'], audit: 'token.delete', refuses: ['unknown-token'] },
      schema: {
        operationId: 'deleteToken',
        summary: 'End a personal token',
        tags: ['people'],
        params: ThingPath,
        response: { 204: nothing },
      },
    },
    async ({ claims, params: { id } }, reply) => {
      if (!(await apiTokens.remove(mustBePerson(claims).id, id)))
        throw new HttpProblem('unknown-token', 'There is no such token of yours.');
      return reply.code(204).send();
    },
  );
  done();
};

/** Whoever finds a token must not get another one, or the account, by it. */
function mustBeSignedIn(claims: Caller): Person {
  const person = mustBePerson(claims);
  if (person.via !== 'session')
    throw new HttpProblem('forbidden', 'This is for who has signed in in a browser, and not by a token.');
  if (person.id.startsWith('operator:'))
    throw new HttpProblem('forbidden', `${person.sub} is an operator and has no account.`);
  return person;
}
