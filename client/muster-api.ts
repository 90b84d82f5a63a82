/**
 * The central API as people's programs call it, in Node and in browsers: every operation of its description by name, made from
 * docs/openapi.json. Answers are validated; what fails throws {@link ApiProblem} or {@link ApiUnreachable}.
 */
import { $ZodError } from 'zod/v4/core';
import { ApiProblem, ApiUnreachable, networkReason } from './errors';
import { createClient } from './generated/client';
import { Operations } from './generated/sdk.gen';
import { readProblem } from './read-json';

export interface MusterApiOptions {
  /** Address of the API, such as `http://127.0.0.1:7400`; empty for the one that a page came from. */
  url: string;
  /** A personal token, or an operator's. Browsers show their session's cookie instead. */
  token?: string;
  /** How long a call may take, answer included; an event stream, until it begins. */
  timeoutMs?: number;
  fetch?: typeof globalThis.fetch;
}

export type MusterApi = Operations & {
  /** The bytes of an event stream, from after `lastEventId`. It stays open: abort `signal` to leave. */
  openStream(path: string, signal: AbortSignal, lastEventId?: string): Promise<ReadableStream<Uint8Array>>;
  /** {@link followRun} reads it. */
  openRunEvents(
    runId: string,
    lastEventId: number | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** One of a run's results as it comes, however large; {@link Operations.downloadResult} of the description. */
  openResult(runId: string, name: string): Promise<ReadableStream<Uint8Array>>;
  /** The text of a node's log so far; without a launch that of the current one. */
  openNodeLog(
    runId: string,
    node: string,
    launchId: string | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** {@link followLog} reads it. */
  openNodeLogEvents(
    runId: string,
    node: string,
    launchId: string | undefined,
    lastEventId: number | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
};

const DEFAULT_TIMEOUT_MS = 30_000;

export function createMusterApi(options: MusterApiOptions): MusterApi {
  const { url, token, timeoutMs = DEFAULT_TIMEOUT_MS, fetch = globalThis.fetch } = options;
  const baseUrl = url.replace(/\/+$/, '');
  const place = baseUrl === '' ? 'this address' : baseUrl;

  /**
   * A good answer, or why there is none. Only the begin of a stream is waited for. `signal` is not that of the request: Node lets go
   * of what ties a request to the signal that it was made with, and then nothing ends it.
   */
  async function fetchGood(request: Request, signal: AbortSignal, isStream: boolean): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(request, { signal: AbortSignal.any([signal, late.signal]) });
      if (!response.ok) throw await problemOf(request, response);
      // No answer that is a document may break off later.
      return isStream ? response : await readWhole(response);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiProblem) throw error;
      const reason = late.signal.aborted ? `nothing within ${timeoutMs} ms` : networkReason(error);
      throw new ApiUnreachable(place, reason, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  const client = createClient({
    ...{ baseUrl, throwOnError: true, parseAs: 'json' },
    fetch: (input, init) => {
      const request = new Request(input, init);
      return fetchGood(request, request.signal, false);
    },
    ...(token !== undefined && { auth: token }),
  });
  client.interceptors.request.use((request, resolved) => {
    const { responseValidator: validate, method = 'GET', url: path } = resolved;
    if (validate === undefined) return request;
    resolved.responseValidator = async (data) => {
      try {
        return await validate(data);
      } catch (error) {
        if (!(error instanceof $ZodError)) throw error;
        const [issue] = error.issues;
        const where = issue === undefined ? '' : ` (/${issue.path.join('/')}: ${issue.message})`;
        const reason = `its answer to ${method} ${path} is not of this version of Muster${where}`;
        throw new ApiUnreachable(place, reason, { cause: error });
      }
    };
    return request;
  });

  async function open(path: string, signal: AbortSignal, lastEventId?: string) {
    const headers = new Headers({ accept: 'text/event-stream, */*' });
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    if (lastEventId !== undefined) headers.set('last-event-id', lastEventId);
    const { body } = await fetchGood(new Request(baseUrl + path, { headers }), signal, true);
    if (body === null) throw new ApiUnreachable(place, 'its answer is empty');
    return body;
  }
  const after = (id: number | undefined) => (id === undefined ? undefined : String(id));

  return Object.assign(new Operations({ client }), {
    openStream: open,
    openRunEvents: (runId: string, lastEventId: number | undefined, signal: AbortSignal) =>
      open(`/api/runs/${encodeURIComponent(runId)}/events`, signal, after(lastEventId)),
    openResult: (runId: string, name: string) =>
      open(
        `/api/runs/${encodeURIComponent(runId)}/results/file?name=${encodeURIComponent(name)}`,
        new AbortController().signal,
      ),
    openNodeLog: (runId: string, node: string, launchId: string | undefined, signal: AbortSignal) =>
      open(logPath(runId, node, '', launchId), signal),
    openNodeLogEvents: (
      runId: string,
      node: string,
      launchId: string | undefined,
      lastEventId: number | undefined,
      signal: AbortSignal,
    ) => open(logPath(runId, node, '/events', launchId), signal, after(lastEventId)),
  });
}

const logPath = (runId: string, node: string, more: string, launchId: string | undefined) =>
  `/api/runs/${encodeURIComponent(runId)}/nodes/${encodeURIComponent(node)}/log${more}` +
  (launchId === undefined ? '' : `?launch=${encodeURIComponent(launchId)}`);

async function readWhole(response: Response): Promise<Response> {
  const text = await response.text();
  if (text !== '') JSON.parse(text);
  const { status, headers } = response;
  return new Response(text === '' ? null : text, { status, headers });
}

async function problemOf({ method, url }: Request, response: Response): Promise<ApiProblem> {
  const problem = readProblem(await response.text());
  const { pathname } = new URL(url, 'http://api');
  return new ApiProblem(response.status, `${method} ${pathname}`, problem);
}
