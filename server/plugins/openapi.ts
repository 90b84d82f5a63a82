/** The API's description at /openapi.json, and a page to read it by at /reference, which needs nothing from elsewhere. */
import swagger from '@fastify/swagger';
import reference from '@scalar/fastify-api-reference';
import fp from 'fastify-plugin';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import * as api from '../../workflows/api-contract';
import * as contract from '../../workflows/contract';
import { contentPolicy } from './security-headers';

const TITLE = 'Muster central API';

/** The schemas that have a name of their own in the description. */
const schemaRegistry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({
  Attempt: api.Attempt,
  Computation: contract.Computation,
  ConsortiumView: api.ConsortiumView,
  ErrorEntry: api.ErrorEntry,
  JsonValue: contract.JsonObject.valueType,
  NodeError: contract.NodeError,
  NodeReport: contract.NodeReport,
  NodeView: contract.NodeView,
  Problem: api.Problem,
  RunView: contract.RunView,
  Site: contract.Site,
  SiteView: api.SiteView,
}))
  schemaRegistry.add(schema, { id });

/** Of OpenAPI 3.1, of which the types do not know yet. */
const siteCertificate = {
  type: 'mutualTLS',
  description: "A site's certificate, at the address that is for sites.",
} as never;

/** Leaves out of the reference page what calls on services elsewhere. */
const SELF_CONTAINED = {
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: 'never',
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
} as const;

export default fp(
  async (server) => {
    await server.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: TITLE,
          description:
            'Starts, watches and stops federated runs. Every error is an `application/problem+json`.',
          version: '0.1.0',
        },
        components: {
          securitySchemes: {
            token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            certificate: siteCertificate,
          },
        },
      },
      transform: createJsonSchemaTransform({ schemaRegistry }),
      transformObject: createJsonSchemaTransformObject({ schemaRegistry }),
    });
    server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
    await server.register(async (scope) => {
      scope.addHook('onSend', async (_request, reply, payload) => {
        if (typeof payload === 'string') reply.header('content-security-policy', referencePolicy(payload));
      });
      await scope.register(reference, {
        routePrefix: '/reference',
        configuration: { url: '/openapi.json', pageTitle: TITLE, ...SELF_CONTAINED },
      });
    });
  },
  { name: 'openapi' },
);

/** Lets the page run its own scripts only, the one inside it by its digest; it styles itself as it goes. */
function referencePolicy(html: string): string {
  const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([^]*?)<\/script>/g)];
  const digests = inline.map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return contentPolicy({
    'script-src': ["'self'", ...digests],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'font-src': ["'self'", 'data:'],
    'connect-src': ["'self'"],
  });
}
