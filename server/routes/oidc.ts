/** Signing in at the institution's OpenID provider. What goes wrong there, the page for signing in says. */
import { and, eq, isNull } from 'drizzle-orm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BeginOidcBody, BegunOidc, type OidcFailure } from '../../workflows/people-contract';
import { readCookie, writeCookie } from '../cookies';
import type { Database } from '../db/client';
import { people } from '../db/schema';
import type { Invitations } from '../people/invitations';
import type { Oidc, OidcIdentity } from '../people/oidc';
import { FLOW_SECONDS, type Flow, type Flows } from '../people/oidc-flows';
import type { SessionCookie } from '../people/session-cookie';
import { HttpProblem } from '../problem';
import { nothing } from './responses';

export const OIDC_PATH = '/api/sign-in/oidc';
const COOKIE = 'muster_oidc';

interface Deps {
  db: Database;
  /** Absent where people sign in by passwords alone. */
  oidc: Oidc | undefined;
  flows: Flows;
  invitations: Invitations;
  cookie: SessionCookie;
  publicUrl: string;
}

/** Why somebody is not signed in, in a word for the page. */
class Refused extends Error {
  constructor(readonly why: OidcFailure) {
    super(why);
  }
}

export const oidcRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { db, flows, invitations, cookie, publicUrl } = deps;
  const attributes = {
    ...{ path: OIDC_PATH, sameSite: 'Lax' as const, secure: publicUrl.startsWith('https:') },
  };

  function provider(): Oidc {
    if (deps.oidc !== undefined) return deps.oidc;
    throw new HttpProblem(
      'no-provider',
      'One signs in here by a password alone: MUSTER_OIDC_ISSUER is not set.',
    );
  }

  async function begin(reply: FastifyReply, wish: Pick<Flow, 'to' | 'code' | 'connects'>): Promise<URL> {
    const oidc = provider();
    const { url, flow } = await oidc.begin().catch((error: unknown) => {
      server.log.warn({ err: error }, 'the OpenID provider does not answer as it should');
      throw new HttpProblem('provider-unreachable', `${oidc.name} does not answer.`);
    });
    const sealed = await flows.seal({ ...flow, ...wish, to: ownPage(wish.to) });
    const until = { seconds: FLOW_SECONDS };
    reply.header('set-cookie', writeCookie(COOKIE, sealed, { ...attributes, until }));
    reply.header('cache-control', 'no-store');
    return url;
  }

  /** A page of our own: nobody is sent to others by a link to us. */
  function ownPage(to: string): string {
    const url = URL.canParse(to, publicUrl) ? new URL(to, publicUrl) : new URL(publicUrl);
    return url.origin === new URL(publicUrl).origin ? `${url.pathname}${url.search}` : '/';
  }

  server.get(
    '/sign-in/oidc',
    {
      config: { roles: 'anyone', forBrowsers: true, refuses: ['no-provider', 'provider-unreachable'] },
      schema: {
        operationId: 'signInByProvider',
        summary: 'Sends a browser to the OpenID provider, to sign in there',
        tags: ['people'],
        querystring: z.object({
          to: z
            .string()
            .max(2000)
            .meta({ examples: ['/consortia/palmer'] })
            .default('/')
            .describe('The page to go on with.'),
        }),
        response: { 302: nothing },
      },
    },
    async ({ query: { to } }, reply) => reply.redirect((await begin(reply, { to })).href, 302),
  );

  server.post(
    '/sign-in/oidc',
    {
      config: {
        roles: 'anyone',
        forBrowsers: true,
        audit: false,
        refuses: ['unauthenticated', 'forbidden', 'no-provider', 'provider-unreachable'],
      },
      schema: {
        operationId: 'beginSignInByProvider',
        summary:
          'Where to send the browser, to accept an invitation at the OpenID provider, or to connect an account with it',
        description: 'With `connect`, whoever is signed in here can sign in there from now on.',
        tags: ['people'],
        body: BeginOidcBody,
        response: { 200: BegunOidc },
      },
    },
    async (request, reply) => {
      const { to, code, connect } = request.body;
      const person = connect ? await cookie.read(request) : undefined;
      if (connect && (person === undefined || person.id.startsWith('operator:')))
        throw new HttpProblem('unauthenticated', 'Sign in first, to an account of yours.');
      const url = await begin(reply, { to, code, ...(person && { connects: person.id }) });
      return { url: url.href };
    },
  );

  server.get(
    '/sign-in/oidc/callback',
    {
      config: {
        roles: 'anyone',
        forBrowsers: true,
        audit: 'session.start',
        refuses: ['no-provider', 'unauthenticated', 'database-unreachable'],
      },
      schema: {
        operationId: 'finishSignInByProvider',
        summary: 'Where the OpenID provider sends a browser back to',
        description:
          'Sends it on to the page that it came from; or to `/sign-in?failed=...`, where nobody is signed in by it.',
        tags: ['people'],
        querystring: z.looseObject({}),
        response: { 302: nothing },
      },
    },
    async (request, reply) => {
      const oidc = provider();
      const flow = await flows.open(readCookie(request.headers.cookie, COOKIE));
      const gone = writeCookie(COOKIE, '', { ...attributes, until: { seconds: 0 } });
      try {
        if (flow === undefined) throw new Refused('expired');
        const identity = await finish(request, flow);
        const personId = await personOf(identity, flow, request);
        request.claims = await cookie.signIn({ personId }, request, reply);
        request.auditDetail = { by: oidc.name };
        return await reply.header('set-cookie', gone).redirect(publicUrl + flow.to, 302);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        request.auditDetail = { by: oidc.name, failed: error.why };
        return reply.header('set-cookie', gone).redirect(`${publicUrl}/sign-in?failed=${error.why}`, 302);
      }
    },
  );

  async function finish(request: FastifyRequest, flow: Flow): Promise<OidcIdentity> {
    return provider()
      .finish(new URL(request.url, publicUrl), flow)
      .catch((error: unknown) => {
        request.log.warn({ err: error }, 'somebody was not signed in by the OpenID provider');
        throw new Refused('refused');
      });
  }

  /** Whose account it is, which an invitation may make. Addresses that are not known to be theirs connect nobody. */
  async function personOf(identity: OidcIdentity, flow: Flow, request: FastifyRequest): Promise<string> {
    const { issuer, subject, verifiedEmail, name } = identity;
    const [known] = await db
      .select({ id: people.id, disabledAt: people.disabledAt })
      .from(people)
      .where(and(eq(people.issuer, issuer), eq(people.subject, subject)));
    if (known !== undefined && known.disabledAt !== null) throw new Refused('disabled');
    if (flow.connects !== undefined) return connect(identity, flow.connects, known?.id, request);
    if (known !== undefined) return known.id;
    const invitation =
      flow.code === undefined
        ? verifiedEmail && (await invitations.openFor(verifiedEmail))
        : await invitations.look(flow.code).catch(refusedAs('invitation'));
    if (!invitation || invitation.resets !== null) throw new Refused('unknown');
    const email = invitation.email ?? verifiedEmail;
    if (email === undefined) throw new Refused('email');
    const newcomer = { name: name ?? email, email, by: { issuer, subject } };
    return invitations.join(invitation, newcomer).catch(refusedAs('account'));
  }

  async function connect(
    { issuer, subject }: OidcIdentity,
    personId: string,
    known: string | undefined,
    request: FastifyRequest,
  ): Promise<string> {
    // Whoever began it is still there: nobody gets into an account by a browser that somebody left.
    if ((await cookie.read(request))?.id !== personId) throw new Refused('expired');
    if (known !== undefined && known !== personId) throw new Refused('account');
    await db
      .update(people)
      .set({ issuer, subject })
      .where(and(eq(people.id, personId), isNull(people.disabledAt)));
    return personId;
  }
  done();
};

const refusedAs =
  (why: OidcFailure) =>
  (error: unknown): never => {
    throw error instanceof HttpProblem ? new Refused(why) : error;
  };
