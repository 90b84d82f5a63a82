/** Holds what an API answers against what its description says that it may answer. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../../workflows/api-contract';

const Content = z.record(z.string(), z.unknown());
const Response = z.union([z.object({ $ref: z.string() }), z.object({ content: Content.optional() })]);
const Refusals = z.object({
  content: z.object({
    'application/problem+json': z.object({
      schema: z.object({
        allOf: z.tuple([
          z.unknown(),
          z.object({ properties: z.object({ type: z.object({ enum: z.array(z.string()) }) }) }),
        ]),
      }),
    }),
  }),
});
const Description = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ operationId: z.string(), responses: z.record(z.string(), Response) })),
  ),
  components: z.object({ responses: z.record(z.string(), Refusals) }),
});

/** What each operation may answer: `200`, or `404 urn:muster:problem:unknown-run`. */
function answersOf(description: unknown): Map<string, Set<string>> {
  const { paths, components } = Description.parse(description);
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  return new Map(
    operations.map(({ operationId, responses }) => [
      operationId,
      new Set(
        Object.entries(responses).flatMap(([status, response]) => {
          if (!('$ref' in response)) return [status];
          const refused = components.responses[response.$ref.split('/').at(-1) ?? ''];
          const [, { properties }] = refused?.content['application/problem+json'].schema.allOf ?? none();
          return properties.type.enum.map((type) => `${status} ${type}`);
        }),
      ),
    ]),
  );
}

function none(): never {
  throw new Error('the description refers to a response that it does not have');
}

/** Notes in `found` whatever a server answers that its description does not have. */
export function watchAnswers(app: FastifyInstance, found: string[]): void {
  let answers: Map<string, Set<string>> | undefined;
  app.addHook('onSend', async (request, reply, payload) => {
    const operationId = request.routeOptions.schema?.operationId;
    if (request.is404 || operationId === undefined || request.method === 'HEAD') return;
    const isProblem = String(reply.getHeader('content-type')).startsWith('application/problem+json');
    const problem = isProblem ? Problem.parse(JSON.parse(String(payload))) : undefined;
    // A site is told so at its own door of every route that is not for it.
    if (problem?.status === 404 && problem.type === 'about:blank') return;
    answers ??= answersOf(app.swagger());
    const may = answers.get(operationId) ?? new Set();
    const status = String(reply.statusCode);
    const answer = problem === undefined ? status : `${status} ${problem.type}`;
    if (!may.has(answer) && !may.has(status)) found.push(`${operationId}: ${answer}`);
  });
}
