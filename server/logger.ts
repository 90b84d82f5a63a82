/** The server's log: JSON lines by pino, without what people entrusted to the server. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { FastifyBaseLogger } from 'fastify';
import { pino, stdSerializers, type DestinationStream } from 'pino';

export function createLogger(level: string, destination?: DestinationStream): FastifyBaseLogger {
  const options = { level, serializers: { err: describeError } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** An error as it is logged. A failed query holds the values that were to be stored: they belong into no log. */
function describeError(error: Error): object {
  if (!(error instanceof DrizzleQueryError)) return stdSerializers.err(error);
  const { message, stack, name: type } = error.cause ?? error;
  return { type, message, stack, query: error.query };
}
