/** The error log of a run, a page at a time. It is kept for as long as the run's record is. */
import { and, asc, eq, gt, or, sql } from 'drizzle-orm';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ErrorPage } from '../../workflows/api-contract';
import { NodeName } from '../../workflows/contract';
import type { Database } from '../db/client';
import { errors } from '../db/schema';
import { errorEntry } from '../projection';
import { findRun } from '../runs/find-run';
import { RunPath, YesNo } from './responses';

const MAX_PAGE = 500;

/** Where a page ends: when its last failure was first seen, and which one that was. */
const Cursor = z.codec(
  z
    .string()
    .regex(/^\d+(?:\.\d+)?-[0-9a-f]{64}$/, 'must be the `next` of an earlier page')
    .meta({ examples: [`1795858260000-${'9f86d081'.repeat(8)}`] }),
  z.object({ firstAt: z.number(), identity: z.string() }),
  {
    decode: (text) => {
      const [at = '', identity = ''] = text.split('-');
      return { firstAt: Number(at), identity };
    },
    encode: ({ firstAt, identity }) => `${firstAt}-${identity}`,
  },
);

/** Read from the text, for Postgres takes no document apart that holds a NUL, and a program's last words may. */
const TYPE = sql`substring(${errors.error}::text from '"type":"([^"]*)"')`;

interface Deps {
  db: Database;
}

export const errorRoutes: FastifyPluginCallbackZod<Deps> = (server, { db }, done) => {
  server.get(
    '/runs/:runId/errors',
    {
      config: { roles: ['viewer', 'siteAdmin', 'central'] },
      schema: {
        operationId: 'listErrors',
        summary: "A run's failures, the earliest first",
        description:
          'Each is there once, with how often it was seen. Failures that are being tried again are among them.',
        tags: ['runs'],
        params: RunPath,
        querystring: z.object({
          node: NodeName.optional().describe('Only those of this node.'),
          type: z
            .string()
            .max(60)
            .meta({ examples: ['DataMissing'] })
            .optional()
            .describe('Only those of this type; docs/errors.md lists them.'),
          retrying: YesNo.optional().describe('Only those that are, or are not, being tried again.'),
          limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(100),
          after: Cursor.optional().describe('The `next` of the page before.'),
        }),
        response: { 200: ErrorPage },
      },
    },
    async ({ params: { runId }, query: { node, type, retrying, limit, after } }) => {
      await findRun(db, runId);
      const rows = await db
        .select()
        .from(errors)
        .where(
          and(
            eq(errors.runId, runId),
            node === undefined ? undefined : eq(errors.node, node),
            type === undefined ? undefined : eq(TYPE, type),
            retrying === undefined ? undefined : eq(errors.retrying, retrying),
            after &&
              or(
                gt(errors.firstAt, after.firstAt),
                and(eq(errors.firstAt, after.firstAt), gt(errors.identity, after.identity)),
              ),
          ),
        )
        .orderBy(asc(errors.firstAt), asc(errors.identity))
        .limit(limit + 1);
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { errors: page.map(errorEntry), ...(last && { next: Cursor.encode(last) }) };
    },
  );
  done();
};
