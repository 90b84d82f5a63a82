/** The API's description at /openapi.json, and a page to read it by at /reference, which needs nothing from elsewhere. */
import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import reference from '@scalar/fastify-api-reference';
import fp from 'fastify-plugin';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import * as api from '../../workflows/api-contract';
import { Change, WaitingItem } from '../../workflows/changes-contract';
import * as contract from '../../workflows/contract';
import { KnownProblem } from '../routes/responses';
import { contentPolicy } from './security-headers';

const TITLE = 'Muster central API';

/** The schemas that have a name of their own in the description; what else is said of schemas stands in the same registry. */
const schemaRegistry = z.globalRegistry;
for (const [id, schema] of Object.entries({
  Attempt: api.Attempt,
  Change,
  Computation: contract.Computation,
  ConsortiumView: api.ConsortiumView,
  ErrorEntry: api.ErrorEntry,
  JsonValue: contract.JsonObject.valueType,
  NodeError: contract.NodeError,
  NodeReport: contract.NodeReport,
  NodeView: contract.NodeView,
  Problem: KnownProblem,
  RunEvent: api.RunEvent,
  RunSummary: api.RunSummary,
  RunView: contract.RunView,
  Site: contract.Site,
  SiteView: api.SiteView,
  WaitingItem,
}))
  schemaRegistry.add(schema, { ...schemaRegistry.get(schema), id });

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

const withSchemas = createJsonSchemaTransformObject({ schemaRegistry });

/** A body that may be `null` may be left out too, which the plugin does not see. */
const withOptionalBodies: SwaggerTransformObject = (document) => {
  if ('openapiObject' in document)
    for (const { requestBody } of operationsOf(document.openapiObject.paths)) {
      if (requestBody === undefined || !('content' in requestBody)) continue;
      const schemas = Object.values(requestBody.content).map(({ schema }) => JSON.stringify(schema));
      requestBody.required = !schemas.some((schema) => schema.endsWith('{"type":"null"}]}'));
    }
  return withSchemas(document);
};

type Paths = NonNullable<
  Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>['openapiObject']['paths']
>;

const operationsOf = (paths: Paths = {}) =>
  Object.values(paths).flatMap(({ get, post, put, patch, delete: remove } = {}) =>
    [get, post, put, patch, remove].filter((one) => one !== undefined),
  );

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
            session: {
              type: 'apiKey',
              in: 'cookie',
              name: 'muster_session',
              description: 'Of a browser in which somebody has signed in.',
            },
            token: {
              type: 'http',
              scheme: 'bearer',
              description: "A personal API token (`muster_…`), or an operator's token, a JWT.",
            },
            codecPass: {
              type: 'apiKey',
              in: 'cookie',
              name: 'muster_codec',
              description: "For the Temporal Web UI's requests alone; `POST /api/codec/pass` sets it.",
            },
            certificate: siteCertificate,
          },
        },
      },
      transform: createJsonSchemaTransform({ schemaRegistry }),
      transformObject: withOptionalBodies,
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
