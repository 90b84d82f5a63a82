/** Retrying a run: the same run, begun anew. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RetryRunBody } from '../../workflows/api-contract';
import type { Database } from '../db/client';
import { HttpProblem } from '../problem';
import { findRun } from '../runs/find-run';
import { wishOf, type Retries } from '../runs/retries';
import { IdempotencyKey, nothing, RunPath } from './responses';

interface Deps {
  db: Database;
  retries: Retries;
}

export const retryRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, retries }, done) => {
  server.post(
    '/runs/:runId/retry',
    {
      config: {
        roles: ['lead'],
        scope: 'run',
        audit: 'run.retry',
        needs: ['temporal'],
        refuses: ['unknown-node', 'run-complete', 'run-not-begun', 'retry-impossible'],
      },
      schema: {
        operationId: 'retryRun',
        summary: 'Let a run, or the nodes of its sites, begin anew',
        description:
          'The run keeps its id and its input, and gets a new launch: new kits, new nodes, new results. A run that failed, was ' +
          'stopped or is still at work can be retried; what is left of its nodes is gone before new ones start. While it is at ' +
          'work, it can also keep its kits, or its central node and all but some of its sites.',
        tags: ['runs'],
        params: RunPath,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: RetryRunBody.nullish(),
        response: { 202: nothing },
      },
    },
    async (request, reply) => {
      const { headers, body, claims } = request;
      const { runId } = request.params;
      const { state } = await findRun(db, runId);
      if (state === 'complete')
        throw new HttpProblem('run-complete', `Run ${runId} is complete: start a new run instead.`);
      const key = headers['idempotency-key'] ?? randomUUID();
      request.auditDetail = { ...body };
      await retries.ask(runId, wishOf(body ?? {}, claims.sub, key));
      return reply.code(202).send();
    },
  );
  done();
};
