/** Access to the routes of the scope this is registered in: a valid token, and one of the roles that the route names. */
import fp from 'fastify-plugin';
import type { AccessClaims } from '../../workflows/api-contract';
import type { Role } from '../access';
import { HttpProblem } from '../problem';
import type { Tokens } from '../tokens';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. */
    roles?: readonly Role[];
  }
  interface FastifyRequest {
    /** What the access token says of the caller; set in every route that needs a token. */
    claims: AccessClaims;
  }
}

export default fp<{ tokens: Tokens }>(
  (server, { tokens }, done) => {
    server.decorateRequest('claims');
    server.addHook('onRoute', ({ method, url, config, schema }) => {
      if (config?.roles === undefined)
        throw new Error(`${String(method)} ${url} does not say who may call it`);
      if (schema) schema.security = [{ token: [] }];
    });
    server.addHook('onRequest', async (request) => {
      const claims = await tokens.verify(request.headers.authorization);
      const { roles = [] } = request.routeOptions.config;
      if (!roles.includes(claims.role))
        throw new HttpProblem(
          'forbidden',
          `This is for ${roles.join(' or ')}; ${claims.sub} is ${claims.role}.`,
        );
      request.claims = claims;
    });
    done();
  },
  { name: 'auth' },
);
