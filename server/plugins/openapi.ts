/** The API's description at /openapi.json, and a page to read it by at /reference, which needs nothing from elsewhere. */
import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import reference from '@scalar/fastify-api-reference';
import fp from 'fastify-plugin';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import '../examples';
import * as api from '../../workflows/api-contract';
import { Change, WaitingItem } from '../../workflows/changes-contract';
import * as contract from '../../workflows/contract';
import { refusalsOf, type Refusal } from '../refusals';
import { KnownProblem } from '../routes/responses';
import { ProblemResponses } from './openapi-problems';
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

/** What the plugin does not see: that a body that may be `null` may be left out too, and how operations are refused. */
const completed =
  (refusals: ReadonlyMap<string, readonly Refusal[]>): SwaggerTransformObject =>
  (document) => {
    if (!('openapiObject' in document)) return withSchemas(document);
    const { paths } = document.openapiObject;
    const problems = new ProblemResponses();
    for (const operation of operationsOf(paths)) {
      const { requestBody, operationId = '', responses } = operation;
      operation.responses = { ...problems.of(refusals.get(operationId) ?? []), ...responses };
      if (requestBody === undefined || !('content' in requestBody)) continue;
      const schemas = Object.values(requestBody.content).map(({ schema }) => JSON.stringify(schema));
      requestBody.required = !schemas.some((schema) => schema.endsWith('{"type":"null"}]}'));
    }
    withValidators(paths);
    Object.assign((document.openapiObject.components ??= {}), { responses: problems.components });
    return withSchemas(document);
  };

type Paths = NonNullable<
  Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>['openapiObject']['paths']
>;

/** What is read may be asked for again only as far as it has changed ({@link etags} does it). */
function withValidators(paths: Paths = {}): void {
  for (const [path, { get } = {}] of Object.entries(paths)) {
    const read = get?.responses['200'];
    if (!path.startsWith('/api/') || get === undefined || read === undefined) continue;
    if (!('content' in read) || read.content['application/json'] === undefined) continue;
    read.headers = { ETag: { description: 'Of this answer.', schema: { type: 'string' } } };
    get.responses = { ...get.responses, 304: { description: 'It is still as the ETag says.' } };
    get.parameters = [
      ...(get.parameters ?? []).filter((one) => !('name' in one) || one.name !== IF_NONE_MATCH),
      {
        ...{ in: 'header', name: IF_NONE_MATCH, required: false },
        schema: { type: 'string', ...{ examples: ['"r7"'] } },
        description: 'The ETag of an answer that one has: it is sent again only if it is another one.',
      },
    ];
  }
}

const IF_NONE_MATCH = 'if-none-match';

const operationsOf = (paths: Paths = {}) =>
  Object.values(paths).flatMap(({ get, post, put, patch, delete: remove } = {}) =>
    [get, post, put, patch, remove].filter((one) => one !== undefined),
  );

export default fp(
  async (server) => {
    const refusals = new Map<string, readonly Refusal[]>();
    server.addHook('onRoute', ({ method, url, config = {}, schema = {} }) => {
      const { roles, beforePassword = false, needs = [], refuses = [] } = config;
      if (roles === undefined || schema.operationId === undefined || method === 'HEAD') return;
      const { params, querystring, headers, body } = schema;
      const facts = {
        ...{ method: String(method), url, roles, beforePassword, needs, refuses },
        isChecked: [params, querystring, headers, body].some((part) => part !== undefined),
        headers: headers instanceof z.ZodObject ? Object.keys(headers.shape) : [],
      };
      refusals.set(schema.operationId, refusalsOf(facts));
    });
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
      transformObject: completed(refusals),
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
