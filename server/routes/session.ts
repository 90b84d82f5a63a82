/** Signing in and out. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { Me, SignInBody, SignInWays } from '../../workflows/people-contract';
import { mustBePerson } from '../access';
import type { LocalAccounts } from '../people/local-accounts';
import type { Oidc } from '../people/oidc';
import type { People } from '../people/people';
import type { SessionCookie } from '../people/session-cookie';
import type { Sessions } from '../people/sessions';
import { HttpProblem } from '../problem';
import { createRateLimit, mustWait, networkOf, type Rate } from '../rate-limit';
import { bearerOf, type Tokens } from '../tokens';
import { OIDC_PATH } from './oidc';
import { nothing } from './responses';

/** Wrong passwords from one address. */
const FAILURES: Rate = { burst: 20, everyMs: 6_000 };

interface Deps {
  accounts: LocalAccounts;
  people: People;
  sessions: Sessions;
  cookie: SessionCookie;
  tokens: Tokens;
  /** Absent where people sign in by passwords alone. */
  oidc: Pick<Oidc, 'name'> | undefined;
}

export const sessionRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { accounts, people, sessions, cookie, tokens, oidc } = deps;
  const failures = createRateLimit(FAILURES);

  server.get(
    '/sign-in',
    {
      config: { roles: 'anyone', forBrowsers: true },
      schema: {
        operationId: 'getSignInWays',
        summary: 'How one can sign in here',
        tags: ['people'],
        response: { 200: SignInWays },
      },
    },
    () => ({
      local: true,
      ...(oidc && { oidc: { name: oidc.name, path: OIDC_PATH } }),
    }),
  );

  server.post(
    '/sign-in',
    {
      config: {
        roles: 'anyone',
        forBrowsers: true,
        audit: 'session.start',
        refuses: ['unauthenticated', 'forbidden', 'too-many-requests'],
      },
      schema: {
        operationId: 'signIn',
        summary: 'Sign in by a password',
        description:
          'The answer sets the cookie `muster_session`. What is wrong is said in the same words whatever it is.',
        tags: ['people'],
        body: SignInBody,
        response: { 200: Me },
      },
    },
    async (request, reply) => {
      const address = networkOf(request.ip);
      mustWait(failures, address);
      const { email, password } = request.body;
      const personId = await accounts.signIn(email, password);
      failures.giveBack(address);
      request.claims = await cookie.signIn({ personId }, request, reply);
      request.auditDetail = { by: 'password' };
      return people.me(request.claims);
    },
  );

  server.post(
    '/session',
    {
      config: { roles: ['admin'], audit: 'session.start' },
      schema: {
        operationId: 'signInAsOperator',
        summary: "Sign in by an operator's token",
        description:
          'For who opens the link that `muster dev` prints. The session ends with the token at the latest.',
        tags: ['people'],
        response: { 200: Me },
      },
    },
    async (request, reply) => {
      const person = mustBePerson(request.claims);
      if (person.via !== 'operator')
        throw new HttpProblem('forbidden', "A session is made of an operator's token alone.");
      const { until } = await tokens.verify(bearerOf(request.headers.authorization));
      const signedIn = await cookie.signIn({ operator: person.sub, until }, request, reply);
      request.auditDetail = { by: "operator's token" };
      return people.me(signedIn);
    },
  );

  server.post(
    '/sign-out',
    {
      config: { roles: 'anyone', forBrowsers: true, audit: 'session.end', refuses: ['forbidden'] },
      schema: {
        operationId: 'signOut',
        summary: 'Sign out: end the session of this browser',
        tags: ['people'],
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const person = await cookie.read(request);
      if (person?.sessionId !== undefined) {
        await sessions.end(person, person.sessionId);
        request.claims = person;
      }
      cookie.clear(reply);
      return reply.code(204).send();
    },
  );
  done();
};
