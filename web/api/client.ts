/** How the page calls the central API: as whoever this browser tab is signed in as. */
import type { z } from 'zod';
import { learnTime } from '../live/clock';
import { currentToken, refused } from '../session';
import { ApiError, problemIn, read, Unreachable } from './errors';

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

const PATIENCE_MS = 30_000;

/** A part of an address. */
export const segment = encodeURIComponent;

/**
 * Calls `path` below `/api/`.
 * @throws ApiError, Unreachable
 */
export async function call(path: string, options: Call = {}): Promise<Response> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  return send(path, { ...options, signal: options.signal ? AbortSignal.any([options.signal, late]) : late });
}

/**
 * The answer of `path`, which is to be what `schema` says; `what` names it where it is not.
 * @throws ApiError, Unreachable, UnknownShape
 */
export async function ask<Schema extends z.ZodType>(
  schema: Schema,
  what: string,
  path: string,
  options?: Call,
): Promise<z.output<Schema>> {
  return read(schema, what, await readJson(await call(path, options)));
}

/**
 * The bytes of the stream at `path`, from after the message `lastEventId`. It stays open until `signal` says otherwise.
 * @throws ApiError, Unreachable
 */
export async function openStream(
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  // Not a timeout of the whole call: once the stream has begun it stays open.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  const { body } = await send(path, {
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    signal: AbortSignal.any([signal, patience.signal]),
  }).finally(() => clearTimeout(timer));
  if (body === null) throw new Unreachable('a stream without a body');
  return body;
}

async function send(path: string, { method = 'GET', headers, body, signal }: Call): Promise<Response> {
  const token = currentToken();
  const response = await fetch(`/api/${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    cache: 'no-store',
  }).catch(unreachable);
  learnTime(response.headers.get('date'));
  if (response.ok) return response;
  if (response.status === 401) refused();
  throw new ApiError(response.status, problemIn(await readJson(response)));
}

function unreachable(cause: unknown): never {
  throw new Unreachable(cause);
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text().catch(unreachable);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A key that no two wishes share, for calls that are to be done once however often they are sent. */
export function randomKey(): string {
  // Not randomUUID: browsers withhold it from pages that are not served over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
