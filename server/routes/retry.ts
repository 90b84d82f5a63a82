/** Retrying a run: the same run, begun anew. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RetryRunBody } from '../../workflows/api-contract';
import { mustLead } from '../access';
import type { Database } from '../db/client';
import { retries } from '../db/schema';
import type { Journal } from '../journal';
import { HttpProblem } from '../problem';
import { findRun } from '../runs/find-run';
import type { Runs } from '../runs/temporal';
import { IdempotencyKey, nothing, problems, RunPath } from './responses';

interface Deps {
  db: Database;
  journal: Journal;
  temporal: Runs;
}

export const retryRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, journal, temporal }, done) => {
  server.post(
    '/runs/:runId/retry',
    {
      config: { roles: ['admin', 'lead'] },
      schema: {
        operationId: 'retryRun',
        summary: 'Let a run begin anew',
        description:
          'The run keeps its id and its input, and gets a new launch: new kits, new nodes, new results. A run that failed, was ' +
          'stopped or is still at work can be retried; what is left of its nodes is gone before new ones start.',
        tags: ['runs'],
        params: RunPath,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: RetryRunBody.nullish(),
        response: { 202: nothing, ...problems },
      },
    },
    async ({ params: { runId }, headers, body, claims }, reply) => {
      const { consortiumId, state } = await findRun(db, runId);
      mustLead(claims, consortiumId);
      if (state === 'complete')
        throw new HttpProblem('run-complete', `Run ${runId} is complete: start a new run instead.`);
      const why = body?.reason === undefined ? '' : `: ${body.reason}`;
      const requestId = headers['idempotency-key'] ?? randomUUID();
      const reset = await temporal.reset(runId, `retried by ${claims.sub}${why}`, requestId);
      if (reset === undefined) return reply.code(202).send();
      const { execution, isNew } = reset;
      await journal.change(runId, async (tx, tell) => {
        // Also of a request that was sent again, for the first may have ended before it came to this.
        await tx
          .insert(retries)
          .values({ runId, execution, by: claims.sub, reason: body?.reason })
          .onConflictDoNothing();
        const data = { consortium: consortiumId, startedBy: claims.sub, retry: true, ...body };
        if (isNew) tell({ type: 'CentralClientStartRun', at: Date.now(), data });
      });
      return reply.code(202).send();
    },
  );
  done();
};
