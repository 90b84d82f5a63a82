/** The central node's results: what they are, where they can be downloaded now, and each of them. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { ObjectStore } from '../../storage/object-store';
import { ResultList } from '../../workflows/api-contract';
import type { RunState } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { Database } from '../db/client';
import { HttpProblem } from '../problem';
import { findRun } from '../runs/find-run';
import type { Truth } from '../runs/truth';
import { RunPath } from './responses';

/** Time to begin a download of each, not to pass the addresses around. */
const URL_SECONDS = 900;

const Content = z
  .custom<Readable>((value) => value instanceof Readable)
  .meta({ type: 'string', format: 'binary', description: 'The file as the central node left it.' });

interface Deps {
  db: Database;
  objects: ObjectStore;
  truth: Truth;
}

export const resultRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, objects, truth }, done) => {
  server.get(
    '/runs/:runId/results',
    {
      config: { roles: ['member', 'central'], needs: ['objects'] },
      schema: {
        operationId: 'listResults',
        summary: "The central node's results, and where they can be downloaded now",
        description: 'The addresses are good for some minutes. While there are no results, `why` says why.',
        tags: ['runs'],
        params: RunPath,
        response: { 200: ResultList },
      },
    },
    async ({ params: { runId } }, reply) => {
      const run = await findRun(db, runId);
      await truth.check(run);
      const { state, view } = await findRun(db, runId);
      const results = await Promise.all(
        (view.results ?? []).map(async ({ name, size, sha256, key }) => ({
          ...{ name, size, sha256 },
          url: await objects.presignGet(key, URL_SECONDS),
        })),
      );
      return reply
        .header('cache-control', 'no-store')
        .send({ results, ...(results.length === 0 && { why: whyNone(runId, state) }) });
    },
  );

  server.get(
    '/runs/:runId/results/file',
    {
      config: { roles: ['member'], needs: ['objects'], refuses: ['unknown-result'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'downloadResult',
        summary: "One of the central node's results",
        description:
          'For people, who reach this API and need not reach the object store, nor trust what certifies it.',
        tags: ['runs'],
        params: RunPath,
        querystring: z.object({
          name: z
            .string()
            .min(1)
            .max(1024)
            .meta({ examples: ['global_fit.json'] })
            .describe('As the list of results has it.'),
        }),
        response: {
          200: { description: 'The file.', content: { 'application/octet-stream': { schema: Content } } },
        },
      },
    },
    async ({ params: { runId }, query: { name } }, reply) => {
      const { view } = await findRun(db, runId);
      const found = view.results?.find((result) => result.name === name);
      if (found === undefined)
        throw new HttpProblem('unknown-result', `Run ${runId} has no result ${JSON.stringify(name)}.`);
      return reply
        .headers({
          'content-type': 'application/octet-stream',
          'content-length': found.size,
          'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name.split('/').at(-1) ?? name)}`,
          'cache-control': 'private, no-cache',
          etag: `"${found.sha256}"`,
        })
        .send(await objects.getStream(found.key));
    },
  );
  done();
};

function whyNone(runId: string, state: RunState): string {
  if (state === 'complete') return `Run ${runId} is complete, and its central node left no results.`;
  if (isTerminalRun(state)) return `Run ${runId} is ${state}: only a run that completes has results.`;
  return `Run ${runId} is ${state}: there are results when it is complete.`;
}
