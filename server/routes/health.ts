/** Whether the server lives, and whether what it needs to do its work answers. */
import { sql } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ObjectStore } from '../../storage/object-store';
import { HealthChecks, Problem } from '../../workflows/problem-contract';
import type { Database } from '../db/client';
import { sendProblem } from '../plugins/problems';
import { HttpProblem, typeOf } from '../problem';
import type { Runs } from '../runs/temporal';

const PATIENCE_MS = 3_000;

interface Deps {
  db: Database;
  temporal: Runs;
  objects: ObjectStore;
}

export const healthRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, temporal, objects }, done) => {
  /** @param level how it is logged that it failed */
  async function check(
    what: keyof HealthChecks,
    request: () => Promise<unknown>,
    level: 'warn' | 'debug' = 'warn',
  ): Promise<'ok' | 'failed'> {
    const late = new AbortController();
    try {
      const tooLate = delay(PATIENCE_MS, undefined, { signal: late.signal, ref: false }).then(() => {
        throw new Error(`nothing within ${PATIENCE_MS} ms`);
      });
      await Promise.race([request(), tooLate]);
      return 'ok';
    } catch (err) {
      server.log[level]({ err, what }, 'not ready');
      return 'failed';
    } finally {
      late.abort();
    }
  }

  async function mustHaveCentralWorker(): Promise<void> {
    if (!(await temporal.hasCentralWorker())) throw new Error('no central worker asks for work');
  }

  server.get(
    '/healthz',
    {
      logLevel: 'warn',
      schema: {
        operationId: 'getHealth',
        summary: 'The process is up',
        tags: ['health'],
        response: { 200: z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] }) },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  server.get(
    '/readyz',
    {
      logLevel: 'warn',
      schema: {
        operationId: 'getReadiness',
        summary: 'The database, Temporal and the object store answer',
        description:
          'Whether a central worker asks for work is said beside. The API is ready without one: runs wait for it.',
        tags: ['health'],
        response: {
          200: z.object({ status: z.literal('ready'), checks: HealthChecks }).meta({
            examples: [
              {
                status: 'ready',
                checks: { database: 'ok', temporal: 'ok', objectStore: 'ok', centralWorker: 'ok' },
              },
            ],
          }),
          503: {
            description: 'Something does not answer.',
            content: {
              'application/problem+json': {
                schema: Problem.extend({ type: z.literal(typeOf('not-ready')), checks: HealthChecks }),
              },
            },
          },
        },
      },
    },
    async (_request, reply) => {
      const [database, ofTemporal, objectStore, centralWorker] = await Promise.all([
        check('database', () => db.execute(sql`select 1`)),
        check('temporal', () => temporal.check()),
        check('objectStore', () => objects.ensureBucket()),
        check('centralWorker', mustHaveCentralWorker, 'debug'),
      ]);
      const needed = { database, temporal: ofTemporal, objectStore };
      const checks = { ...needed, centralWorker };
      const failed = Object.entries(needed).filter(([, state]) => state === 'failed');
      if (failed.length === 0) return reply.send({ status: 'ready', checks });
      const names = failed.map(([name]) => name).join(', ');
      const { body } = new HttpProblem('not-ready', `No answer from: ${names}. The log says why.`);
      return sendProblem(reply, { ...body, checks });
    },
  );
  done();
};
