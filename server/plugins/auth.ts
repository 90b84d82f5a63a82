/**
 * Access to the routes of the scope this is registered in: a valid token, or the certificate of a site at the sites' own
 * door, and one of the roles that the route names.
 */
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Caller, Role } from '../access';
import type { SiteIdentity } from '../identity/certificate';
import { cameThroughSiteDoor, shownIdentity } from '../identity/site-door';
import { HttpProblem } from '../problem';
import type { Tokens } from '../tokens';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; `anyone` needs no token, and brings in the request what shows that it may be answered. */
    roles?: readonly Role[] | 'anyone';
    /** How a route that may be called without a token tells who calls; `undefined`: the token says it. */
    claims?: (request: FastifyRequest) => Promise<Caller | undefined>;
  }
  interface FastifyRequest {
    /** Who calls; set in every route that is not for anyone. */
    claims: Caller;
    /** By which a site came in through the sites' own door. */
    certificate: SiteIdentity | undefined;
  }
}

export interface AuthOptions {
  tokens: Tokens;
  /** Absent where no site can join. */
  sites: { check(identity: SiteIdentity): Promise<void> } | undefined;
}

export default fp<AuthOptions>(
  (server, { tokens, sites }, done) => {
    server.decorateRequest('claims');
    server.decorateRequest('certificate');
    server.addHook('onRoute', ({ method, url, config, schema }) => {
      const roles = config?.roles;
      if (roles === undefined) throw new Error(`${String(method)} ${url} does not say who may call it`);
      if (schema) schema.security = securityOf(roles);
    });
    server.addHook('onRequest', async (request) => {
      const { roles = [] } = request.routeOptions.config;
      if (roles === 'anyone') return;
      const claims = await claimsOf(request);
      if (!roles.includes(claims.role))
        throw new HttpProblem(
          'forbidden',
          `This is for ${roles.join(' or ')}; ${claims.sub} is ${claims.role}.`,
        );
      request.claims = claims;
    });

    async function claimsOf(request: FastifyRequest): Promise<Caller> {
      if (sites !== undefined && cameThroughSiteDoor(request.raw)) {
        const identity = shownIdentity(request.raw);
        await sites.check(identity);
        request.certificate = identity;
        return { role: 'site', sub: identity.siteId };
      }
      const known = await request.routeOptions.config.claims?.(request);
      return known ?? tokens.verify(request.headers.authorization);
    }
    done();
  },
  { name: 'auth' },
);

/** As the description of the API says it. */
function securityOf(roles: readonly Role[] | 'anyone'): Record<string, string[]>[] {
  if (roles === 'anyone') return [];
  const ways = roles.map((role) => (role === 'site' ? 'certificate' : 'token'));
  return [...new Set(ways)].map((way) => ({ [way]: [] }));
}
