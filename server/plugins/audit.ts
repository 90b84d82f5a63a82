/**
 * Writes down what people change. A route says by which name; that it was done is written before the answer leaves, so that
 * nobody is told of a success that nobody could look up.
 */
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isForPeople } from '../access';
import type { Audit } from '../audit/audit';
import type { Database } from '../db/client';
import { lookUpRun } from '../runs/find-run';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What somebody does who calls the route, such as `run.start`; `false`: nothing that changes anything. */
    audit?: string | false;
  }
  interface FastifyRequest {
    /** What of it is worth knowing; without it, the names of what the body brought. */
    auditDetail: Record<string, unknown> | undefined;
    /** What it was done to, beside what the path names. */
    auditAbout: { consortiumId?: string; siteId?: string; runId?: string } | undefined;
  }
}

export interface AuditOptions {
  audit: Audit;
  db: Database;
}

export default fp<AuditOptions>(
  (server, { audit, db }, done) => {
    server.decorateRequest('auditDetail');
    server.decorateRequest('auditAbout');
    server.addHook('onRoute', ({ method, url, config }) => {
      const { roles = [], audit: action } = config ?? {};
      const isRead = [method].flat().every((name) => ['GET', 'HEAD', 'OPTIONS'].includes(name));
      if (!isRead && roles !== 'anyone' && isForPeople(roles) && action === undefined)
        throw new Error(`${String(method)} ${url} does not say what is written down of it`);
    });
    server.addHook('onSend', async (request, reply) => {
      const { audit: action } = request.routeOptions.config;
      if (typeof action !== 'string' || reply.statusCode >= 400) return;
      const { consortiumId, siteId, runId } = { ...pathOf(request), ...request.auditAbout };
      await audit.write({
        action,
        by: request.claims,
        address: request.ip,
        ...{ siteId, runId },
        consortiumId:
          consortiumId ?? (runId === undefined ? undefined : (await lookUpRun(db, runId))?.consortiumId),
        detail: request.auditDetail ?? fieldsOf(request.body),
      });
    });
    done();
  },
  { name: 'audit' },
);

function pathOf({ params }: FastifyRequest): Record<string, string> {
  return typeof params === 'object' && params !== null ? { ...params } : {};
}

function fieldsOf(body: unknown): { fields: string[] } | undefined {
  const isNamed = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
  const fields = isNamed ? Object.keys(body) : [];
  return fields.length > 0 ? { fields } : undefined;
}
