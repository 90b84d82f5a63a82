/** Runs as people see them: the list, one in full, and the stop button. */
import { desc, eq, max, sql } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { RunDetail, RunList, StopRunBody } from '../../workflows/api-contract';
import { CENTRAL_NODE } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { Database } from '../db/client';
import { errors, events, nodes, runs } from '../db/schema';
import { visibleRuns } from '../people/destinations';
import { HttpProblem } from '../problem';
import { errorEntry } from '../projection';
import { readAttempts } from '../runs/attempts';
import { findRun, lookUpRun, unknownRun } from '../runs/find-run';
import type { Launches } from '../runs/launches';
import type { Links } from '../runs/links';
import { pageOfRuns, RunQuery, summaryOf } from '../runs/list';
import type { Runs } from '../runs/temporal';
import type { Truth } from '../runs/truth';
import { nothing, RunPath } from './responses';

const MAX_ERRORS = 500;
interface Deps {
  db: Database;
  temporal: Runs;
  truth: Truth;
  launches: Launches;
  links: Links;
}

export const runRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { db, temporal, truth, launches, links } = deps;

  server.get(
    '/runs',
    {
      config: { roles: ['person', 'central'] },
      schema: {
        operationId: 'listRuns',
        summary: 'The runs that the caller may see, the newest first, a page at a time',
        description: 'A run that begins while pages are read is on none of the later ones, and moves none.',
        tags: ['runs'],
        querystring: RunQuery,
        response: { 200: RunList },
      },
    },
    async ({ query, claims }) => {
      const read = () => pageOfRuns(db, visibleRuns(db, claims), query);
      const page = await read();
      const corrected = await Promise.all(page.rows.map((row) => truth.check(row)));
      const { rows, next } = corrected.includes(true) ? await read() : page;
      return { runs: rows.map(summaryOf), ...(next !== undefined && { next }) };
    },
  );

  server.get(
    '/runs/:runId',
    {
      config: { roles: ['viewer', 'siteAdmin', 'central'] },
      schema: {
        operationId: 'getRun',
        summary: 'A run with its nodes and errors',
        tags: ['runs'],
        params: RunPath,
        response: { 200: RunDetail },
      },
    },
    async ({ params: { runId } }) => {
      const row = await findRun(db, runId);
      await truth.check(row);
      return { ...(await readRun(db, runId)), links: links(runId) };
    },
  );

  server.post(
    '/runs/:runId/stop',
    {
      config: {
        roles: ['lead'],
        scope: 'run',
        audit: 'run.stop',
        needs: ['temporal'],
        refuses: ['run-ended'],
      },
      schema: {
        operationId: 'stopRun',
        summary: 'Ask a run to stop',
        tags: ['runs'],
        params: RunPath,
        body: StopRunBody.nullish(),
        response: { 202: nothing },
      },
    },
    async (request, reply) => {
      const { body, claims } = request;
      const { runId } = request.params;
      request.auditDetail = { ...body };
      const row = await lookUpRun(db, runId);
      // An admin can also stop a run that was started elsewhere and has not reported yet; to others it is unknown.
      if (row && isTerminalRun(row.state) && !(await launches.wasReset(row))) throw ended(row);
      // Of this launch only: a run that is retried must not be stopped by what was said of it before.
      const launchId = await launches.currentOf(runId, row);
      const told = await temporal.signalStop(runId, {
        by: claims.sub,
        ...(body?.reason !== undefined && { reason: body.reason }),
        ...(launchId !== undefined && { launchId }),
      });
      if (told) return reply.code(202).send();
      if (row === undefined) throw unknownRun(runId);
      await truth.correct(row);
      throw ended(await findRun(db, runId));
    },
  );
  done();
};

const ended = ({ runId, state }: { runId: string; state: string }) =>
  new HttpProblem('run-ended', `Run ${runId} is ${state}: there is nothing to stop.`);

/** The run as it is at one moment, with the last event that is part of the picture. */
function readRun(db: Database, runId: string): Promise<Omit<RunDetail, 'links'>> {
  return db.transaction(
    async (tx) => {
      const [run] = await tx.select({ view: runs.view }).from(runs).where(eq(runs.runId, runId));
      if (run === undefined) throw unknownRun(runId);
      const views = await tx
        .select({ view: nodes.view })
        .from(nodes)
        .where(eq(nodes.runId, runId))
        .orderBy(sql`${nodes.node} <> ${CENTRAL_NODE}`, nodes.position);
      const log = await tx
        .select()
        .from(errors)
        .where(eq(errors.runId, runId))
        .orderBy(desc(errors.lastAt))
        .limit(MAX_ERRORS);
      const [last] = await tx
        .select({ id: max(events.id) })
        .from(events)
        .where(eq(events.runId, runId));
      return {
        run: run.view,
        nodes: views.map(({ view }) => view),
        errors: log.map(errorEntry),
        attempts: await readAttempts(tx, run.view),
        lastEventId: last?.id ?? 0,
      };
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}
