/** What was done, and by whom: for admins all of it, for leads what was done in their consortia. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { AuditPage } from '../../workflows/audit-contract';
import { ConsortiumId, RunId, SiteId } from '../../workflows/contract';
import { mustBePerson } from '../access';
import type { Audit } from '../audit/audit';
import { HttpProblem } from '../problem';

interface Deps {
  audit: Audit;
}

const Lines = z
  .custom<Readable>((value) => value instanceof Readable)
  .meta({ type: 'string', description: 'One entry a line, as JSON.' });

export const auditRoutes: FastifyPluginCallbackZod<Deps> = (server, { audit }, done) => {
  server.get(
    '/audit',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'listAudit',
        summary: 'What was done, the newest first',
        description: 'For admins; for a lead, what was done in the consortia that they lead.',
        tags: ['audit'],
        querystring: z.object({
          consortium: ConsortiumId.optional(),
          site: SiteId.optional(),
          run: RunId.optional(),
          who: z
            .string()
            .max(254)
            .meta({ examples: ['ada@palmer.example'] })
            .optional()
            .describe('Name or id of who did it.'),
          limit: z.coerce.number().int().min(1).max(500).default(100),
          after: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
        }),
        response: { 200: AuditPage },
      },
    },
    async ({ query: { after: before, limit, ...query }, claims }) => {
      const { admin, consortia, sub } = mustBePerson(claims);
      const led = Object.keys(consortia).filter((id) => consortia[id] === 'lead');
      if (!admin && led.length === 0)
        throw new HttpProblem('forbidden', `This is for admins and for leads; ${sub} is neither.`);
      const rows = await audit.read({ ...query, before, limit: limit + 1 }, admin ? undefined : led);
      const entries = rows.slice(0, limit);
      const last = rows.length > limit ? entries.at(-1) : undefined;
      return { entries, ...(last && { next: last.id }) };
    },
  );

  server.get(
    '/audit/export',
    {
      config: { roles: ['admin'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'exportAudit',
        summary: 'All that was done, the oldest first, one entry a line',
        tags: ['audit'],
        response: {
          200: {
            description: 'The entries.',
            content: { 'application/x-ndjson': { schema: Lines } },
          },
        },
      },
    },
    async (_request, reply) =>
      reply
        .type('application/x-ndjson')
        .headers({
          'cache-control': 'no-store',
          'content-disposition': 'attachment; filename="muster-audit.ndjson"',
        })
        .send(Readable.from(lines())),
  );

  async function* lines(): AsyncGenerator<string> {
    for await (const entry of audit.all()) yield `${JSON.stringify(entry)}\n`;
  }
  done();
};
