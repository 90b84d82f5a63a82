/** Consortia: who belongs together, what they compute, with which parameters; and the starting of their runs. */
import { asc, eq, inArray } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  ConsortiumBody,
  ConsortiumList,
  ConsortiumView,
  StartedRun,
  StartRunBody,
} from '../../workflows/api-contract';
import { ConsortiumId } from '../../workflows/contract';
import { mustLead, mustSee, visibleConsortia } from '../access';
import type { Registry } from '../registry/computations';
import type { Database } from '../db/client';
import { consortia } from '../db/schema';
import { HttpProblem } from '../problem';
import type { Links } from '../runs/links';
import type { StartRun } from '../runs/start';
import { IdempotencyKey, problems } from './responses';

const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
interface Deps {
  db: Database;
  registry: Registry;
  startRun: StartRun;
  links: Links;
}

export const consortiumRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { db, registry, startRun, links } = deps;

  async function find(consortiumId: string): Promise<ConsortiumView> {
    const [row] = await db.select().from(consortia).where(eq(consortia.id, consortiumId));
    if (row) return { ...row.body, id: row.id };
    throw new HttpProblem('unknown-consortium', `There is no consortium ${consortiumId}.`);
  }

  server.put(
    '/consortia/:consortiumId',
    {
      config: { roles: ['admin'] },
      schema: {
        operationId: 'putConsortium',
        summary: 'Create a consortium, or replace it',
        tags: ['consortia'],
        params: ConsortiumPath,
        body: ConsortiumBody,
        response: { 200: ConsortiumView, ...problems },
      },
    },
    async ({ params: { consortiumId: id }, body }) => {
      await registry.get(body.computation);
      await db
        .insert(consortia)
        .values({ id, body })
        .onConflictDoUpdate({ target: consortia.id, set: { body } });
      return { ...body, id };
    },
  );

  server.get(
    '/consortia',
    {
      config: { roles: ['admin', 'lead', 'central'] },
      schema: {
        operationId: 'listConsortia',
        summary: 'The consortia that the caller may see',
        tags: ['consortia'],
        response: { 200: ConsortiumList, ...problems },
      },
    },
    async ({ claims }) => {
      const visible = visibleConsortia(claims);
      const rows = await db
        .select()
        .from(consortia)
        .where(visible && inArray(consortia.id, visible))
        .orderBy(asc(consortia.id));
      return { consortia: rows.map(({ id, body }) => ({ ...body, id })) };
    },
  );

  server.get(
    '/consortia/:consortiumId',
    {
      config: { roles: ['admin', 'lead', 'central'] },
      schema: {
        operationId: 'getConsortium',
        summary: 'A consortium',
        tags: ['consortia'],
        params: ConsortiumPath,
        response: { 200: ConsortiumView, ...problems },
      },
    },
    async ({ params: { consortiumId }, claims }) => {
      mustSee(claims, consortiumId);
      return find(consortiumId);
    },
  );

  server.post(
    '/consortia/:consortiumId/runs',
    {
      config: { roles: ['admin', 'lead'] },
      schema: {
        operationId: 'startRun',
        summary: "Start a run of the consortium's computation",
        tags: ['runs'],
        params: ConsortiumPath,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: StartRunBody.nullish(),
        response: {
          200: StartedRun.describe('The run that was started with this Idempotency-Key before.'),
          201: StartedRun.describe('A new run.'),
          ...problems,
        },
      },
    },
    async ({ params: { consortiumId }, headers, body, claims }, reply) => {
      const consortium = await find(consortiumId);
      mustLead(claims, consortiumId);
      const { runId, seen } = await startRun({
        consortium,
        requested: body?.parameters,
        idempotencyKey: headers['idempotency-key'],
        startedBy: claims.sub,
      });
      return reply.code(seen ? 200 : 201).send({ runId, ...links(runId) });
    },
  );
  done();
};
