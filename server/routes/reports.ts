/** What central workers and sites report of runs. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { ErrorReportBody, StartedReportBody, StatusReportBody } from '../../workflows/api-contract';
import { mustBeNode } from '../access';
import type { Database } from '../db/client';
import { HttpProblem } from '../problem';
import type { Reports } from '../reports';
import { lookUpNode, lookUpRun, unknownRun } from '../runs/find-run';
import type { Runs } from '../runs/temporal';
import { nothing, RunPath } from './responses';

/** A report names up to a thousand nodes; Temporal itself carries no more than 2 MiB of it. */
const STATUS_BODY_LIMIT = 4 * 2 ** 20;

interface Deps {
  db: Database;
  reports: Reports;
  temporal: Runs;
}

export const reportRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, reports, temporal }, done) => {
  server.post(
    '/runs/:runId/started',
    {
      config: { roles: ['central'] },
      schema: {
        operationId: 'reportRunStartedCentral',
        summary: "A launch's central node is up",
        tags: ['reports'],
        params: RunPath,
        body: StartedReportBody,
        response: { 204: nothing },
      },
    },
    async ({ params: { runId }, body }, reply) => {
      await reports.started(runId, body);
      return reply.code(204).send();
    },
  );

  server.post(
    '/runs/:runId/status',
    {
      bodyLimit: STATUS_BODY_LIMIT,
      config: { roles: ['central'] },
      schema: {
        operationId: 'reportStatusCentral',
        summary: 'A run, and those of its nodes that changed',
        tags: ['reports'],
        params: RunPath,
        body: StatusReportBody,
        response: { 204: nothing },
      },
    },
    async ({ params: { runId }, body }, reply) => {
      if (body.run.runId !== runId) {
        const detail = `is ${body.run.runId}, but the path says ${runId}`;
        throw new HttpProblem('invalid-request', 'The report is about another run.', [
          { pointer: '/run/runId', detail },
        ]);
      }
      await reports.status(runId, body);
      return reply.code(204).send();
    },
  );

  server.post(
    '/runs/:runId/errors/central',
    {
      config: { roles: ['central'] },
      schema: {
        operationId: 'reportErrorCentral',
        summary: 'Something failed at a node, as the central worker saw it',
        tags: ['reports'],
        params: RunPath,
        body: ErrorReportBody,
        response: { 204: nothing },
      },
    },
    async ({ params: { runId }, body, log }, reply) => {
      await reports.failed(runId, body);
      tellRun(runId, body, log);
      return reply.code(204).send();
    },
  );

  server.post(
    '/runs/:runId/errors/edge',
    {
      config: { roles: ['site'], needs: ['temporal'], refuses: ['unknown-run'] },
      schema: {
        operationId: 'reportErrorEdge',
        summary: 'Something failed at a site, as its edge worker saw it',
        tags: ['reports'],
        params: RunPath,
        body: ErrorReportBody,
        response: { 204: nothing },
      },
    },
    async ({ params: { runId }, body, claims, log }, reply) => {
      mustBeNode(claims, body.error.node);
      await mustTakePart(runId, claims.sub);
      await reports.failed(runId, body);
      tellRun(runId, body, log);
      return reply.code(204).send();
    },
  );

  /** Nobody waits for it: the failure is in the log already, and the run learns of its end from Temporal. */
  function tellRun(
    runId: string,
    { launchId, error, retrying }: ErrorReportBody,
    log: FastifyBaseLogger,
  ): void {
    if (!retrying) return;
    temporal
      .signalStatus(runId, { launchId, node: error.node, attention: error })
      .catch((err: unknown) =>
        log.warn({ err, runId }, 'the run was not told of a failure that is being retried'),
      );
  }

  /** A site may not write into the log of a run that it has no part in. A run that has not reported yet is asked for. */
  async function mustTakePart(runId: string, site: string): Promise<void> {
    if (await lookUpNode(db, runId, site)) return;
    if (await lookUpRun(db, runId))
      throw new HttpProblem('forbidden', `Site ${site} takes no part in run ${runId}.`);
    if (!(await temporal.describe(runId))) throw unknownRun(runId);
  }
  done();
};
