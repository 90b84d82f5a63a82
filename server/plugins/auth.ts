/**
 * Access to the routes of the scope this is registered in: who calls, by a session, by a token, or by the certificate of a site at
 * the sites' own door; and whether one of the roles that the route names lets them in, where its path leads to. It is decided here alone.
 */
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isDeepStrictEqual } from 'node:util';
import {
  dependsOnPath,
  isForPeople,
  mayCall,
  operator,
  reaches,
  refusal,
  type Caller,
  type Destination,
  type Role,
} from '../access';
import type { SiteIdentity } from '../identity/certificate';
import { cameThroughSiteDoor, shownIdentity } from '../identity/site-door';
import { isApiToken, type ApiTokens } from '../people/api-tokens';
import type { SessionCookie } from '../people/session-cookie';
import type { Destinations } from '../people/destinations';
import { HttpProblem } from '../problem';
import { bearerOf, type Tokens } from '../tokens';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; `anyone` needs no token, and brings in the request what shows that it may be answered. */
    roles?: readonly Role[] | 'anyone';
    /** Whether `anyone` does not mean sites: then there is no such route behind their door. */
    forBrowsers?: boolean;
    /** Whether it can be done by who has to choose a password of their own before anything else. */
    beforePassword?: boolean;
    /** What a personal token has to be good for, where it is less than all that its owner may do. */
    scope?: 'run';
    /** How a route that may be called without a token tells who calls; `undefined`: the token says it. */
    claims?: (request: FastifyRequest) => Promise<Caller | undefined>;
  }
  interface FastifyRequest {
    /** Who calls; set in every route that is not for anyone. */
    claims: Caller;
    /** Whether the caller may still do what they were let in for, and with the same grants. */
    isStillLetIn: (this: FastifyRequest) => Promise<boolean>;
    /** By which a site came in through the sites' own door. */
    certificate: SiteIdentity | undefined;
  }
}

export interface AuthOptions {
  tokens: Tokens;
  apiTokens: ApiTokens;
  cookie: SessionCookie;
  destinations: Destinations;
  /** Absent where no site can join. */
  sites: { check(identity: SiteIdentity): Promise<void> } | undefined;
}

export default fp<AuthOptions>(
  (server, { tokens, apiTokens, cookie, destinations, sites }, done) => {
    server.decorateRequest('claims');
    server.decorateRequest('certificate');
    server.addHook('onRoute', ({ method, url, config, schema }) => {
      const roles = config?.roles;
      if (roles === undefined) throw new Error(`${String(method)} ${url} does not say who may call it`);
      if (schema) schema.security ??= securityOf(roles);
    });
    server.addHook('onRequest', async (request) => {
      const { roles = [] } = request.routeOptions.config;
      if (roles === 'anyone') return;
      request.claims = await letIn(request, roles);
    });
    server.decorateRequest('isStillLetIn', async function () {
      const { roles = [] } = this.routeOptions.config;
      if (roles === 'anyone') return true;
      return letIn(this, roles, false).then(
        (claims) => isDeepStrictEqual(claims, this.claims),
        // Nothing is known while the database does not answer.
        (error: unknown) => !(error instanceof HttpProblem),
      );
    });

    /** Who calls, if they may. @param isUse whether they ask for something, and do not merely listen on */
    async function letIn(request: FastifyRequest, roles: readonly Role[], isUse = true): Promise<Caller> {
      const claims = await claimsOf(request, isUse);
      const to = await destinationOf(claims, roles, request);
      if (!mayCall(claims, roles, to)) throw new HttpProblem('forbidden', refusal(claims, roles, to));
      mustReach(claims, request);
      mustHaveOwnPassword(claims, request);
      return claims;
    }

    async function claimsOf(request: FastifyRequest, isUse: boolean): Promise<Caller> {
      if (sites !== undefined && cameThroughSiteDoor(request.raw)) {
        const identity = shownIdentity(request.raw);
        await sites.check(identity);
        request.certificate = identity;
        return { role: 'site', sub: identity.siteId };
      }
      const known = await request.routeOptions.config.claims?.(request);
      if (known !== undefined) return known;
      const { authorization } = request.headers;
      const signedIn = authorization === undefined ? await cookie.read(request, isUse) : undefined;
      if (signedIn !== undefined) return signedIn;
      const token = bearerOf(authorization);
      if (isApiToken(token)) return apiTokens.verify(token);
      const { claims } = await tokens.verify(token);
      return claims.role === 'admin' ? operator(claims.sub) : claims;
    }

    /** Looked up only for whom it matters. */
    async function destinationOf(
      claims: Caller,
      roles: readonly Role[],
      { params }: FastifyRequest,
    ): Promise<Destination> {
      if (claims.role !== 'person' || claims.admin || !dependsOnPath(roles)) return {};
      return destinations.of(claims, params);
    }
    done();
  },
  { name: 'auth' },
);

/** @throws HttpProblem where a personal token is not good for what is asked */
function mustReach(claims: Caller, { method, routeOptions }: FastifyRequest): void {
  if (claims.role !== 'person') return;
  const needed = method === 'GET' || method === 'HEAD' ? 'read' : (routeOptions.config.scope ?? 'all');
  if (reaches(claims, needed)) return;
  throw new HttpProblem(
    'forbidden',
    `The personal token is for ${claims.scope ?? 'all'}; this needs one for ${needed}.`,
  );
}

/** @throws HttpProblem where the password is one that somebody else chose */
function mustHaveOwnPassword(claims: Caller, { routeOptions }: FastifyRequest): void {
  if (claims.role !== 'person' || claims.mustChangePassword !== true) return;
  if (routeOptions.config.beforePassword === true) return;
  throw new HttpProblem(
    'password-change-needed',
    `${claims.sub} has to choose a password of their own first.`,
  );
}

/** As the description of the API says it. */
function securityOf(roles: readonly Role[] | 'anyone'): Record<string, string[]>[] {
  if (roles === 'anyone') return [];
  const ways = [
    ...(roles.includes('site') ? ['certificate'] : []),
    ...(isForPeople(roles) ? ['session'] : []),
    ...(roles.some((role) => role !== 'site') ? ['token'] : []),
  ];
  return ways.map((way) => ({ [way]: [] }));
}
