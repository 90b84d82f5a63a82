/** Every error leaves as application/problem+json; what is our fault is logged in full and told in short. */
import { ApplicationFailure } from '@temporalio/common';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Problem } from '../../workflows/api-contract';
import { HttpProblem, plainProblem } from '../problem';

interface KnownRoute {
  method: string;
  path: RegExp;
  /** Of a path without any, no other route is meant that would take it as well. */
  parameters: number;
}

export default fp(
  (server, _options, done) => {
    const routes: KnownRoute[] = [];
    server.addHook('onRoute', ({ method, url }) => {
      const path = new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+').replace(/\*$/, '.*')}$`);
      const parameters = url.split(/[:*]/).length - 1;
      routes.push(...[method].flat().map((name) => ({ method: name, path, parameters })));
    });
    const sendNotFound = (request: FastifyRequest, reply: FastifyReply) => {
      const [path = ''] = request.url.split('?');
      const found = routes.filter((route) => route.path.test(path));
      const least = Math.min(...found.map(({ parameters }) => parameters));
      const meant = found.filter(({ parameters }) => parameters === least);
      const allowed = [...new Set(meant.map(({ method }) => method))];
      if (allowed.length === 0) return sendProblem(reply, plainProblem(404, `There is nothing at ${path}.`));
      const detail = `${path} takes ${allowed.join(', ')}, not ${request.method}.`;
      return sendProblem(reply.header('allow', allowed.join(', ')), plainProblem(405, detail));
    };
    server.setNotFoundHandler(sendNotFound);
    server.setErrorHandler<FastifyError>((error, request, reply) => {
      // What is wrong with a request that nothing takes does not matter.
      if (request.is404) return sendNotFound(request, reply);
      const problem = describe(error, request);
      if (problem.status >= 500) request.log.error({ err: error }, problem.title);
      return sendProblem(reply, problem);
    });
    done();
  },
  { name: 'problems' },
);

/** Answers with a problem, which may say more than every problem does. */
export function sendProblem(reply: FastifyReply, problem: Problem & Record<string, unknown>): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

function describe(error: FastifyError, request: FastifyRequest): Problem {
  if (error instanceof HttpProblem) return error.body;
  if (error instanceof ApplicationFailure && error.type === 'KitUnavailable')
    return new HttpProblem('object-store-unreachable', error.message).body;
  if (isConnectionLoss(error))
    return new HttpProblem('database-unreachable', 'The database does not answer.').body;
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) return plainProblem(statusCode, error.message);
  return plainProblem(
    500,
    `Something went wrong. The log of the central API says more, under ${request.id}.`,
  );
}

/** Whether the database failed, and not the query: by Node's codes, Postgres' class 08 and 57P, or the driver's words. */
function isConnectionLoss(error: Error): boolean {
  const reason = error instanceof DrizzleQueryError ? error.cause : error;
  if (reason === undefined) return false;
  const code = 'code' in reason ? String(reason.code) : '';
  return /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|08|57P)/.test(code) || DRIVER_LOST_IT.test(reason.message);
}

const DRIVER_LOST_IT = /^Connection terminated|connection error|timeout exceeded when trying to connect/;
