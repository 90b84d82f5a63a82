/** The central API as the page calls it, with the tab's token. */
import type { ConsortiumView, Problem, RunDetail, RunSummary, StartedRun } from '../workflows/api-contract';
import { learnTime } from './clock';
import { isConsortiumList, isProblem, isRunDetail, isRunList, isStartedRun, UnknownShape } from './shapes';

/** The API answered that it will not do it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(describe(status, problem));
    this.name = 'ApiError';
  }

  /** Whether asking the same again may be answered differently. */
  get mayPass(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('The central API does not answer. Check that it is running and that this computer can reach it.', {
      cause,
    });
    this.name = 'Unreachable';
  }
}

function describe(status: number, problem: Problem | undefined): string {
  if (status === 403) return problem?.detail ?? 'Your access token does not allow this.';
  if (problem === undefined) return `The API answered with status ${status} and gave no reason.`;
  const places = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`);
  return [problem.detail ?? problem.title, ...places].join('\n');
}

export interface Api {
  consortia(): Promise<ConsortiumView[]>;
  /** The newest runs. */
  runs(most: number): Promise<RunSummary[]>;
  run(runId: string): Promise<RunDetail>;
  /** Starts a run; the same `key` gives the same run. */
  startRun(consortiumId: string, key: string): Promise<StartedRun>;
  stopRun(runId: string, reason: string | undefined): Promise<void>;
  /** Lets this browser have histories opened in Temporal's Web UI. */
  passToCodec(): Promise<void>;
  /** The bytes of the run's events stream, from after `lastEventId`. */
  events(runId: string, lastEventId: number): Promise<ReadableStream<Uint8Array>>;
}

interface Call {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: unknown;
  signal: AbortSignal;
}

const PATIENCE_MS = 30_000;
const segment = encodeURIComponent;

/** The API for `token`. `onRefused` is called when the API does not accept it (any more). */
export function createApi(token: string, onRefused: () => void): Api {
  async function request(path: string, { method = 'GET', headers, body, signal }: Call): Promise<Response> {
    const response = await fetch(`/api/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
      cache: 'no-store',
    }).catch(unreachable);
    learnTime(response.headers.get('date'));
    if (response.ok) return response;
    if (response.status === 401) onRefused();
    throw new ApiError(response.status, await readProblem(response));
  }

  const call = (path: string, options: Omit<Call, 'signal'> = {}) =>
    request(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });

  async function ask<T>(
    is: (value: unknown) => value is T,
    what: string,
    response: Promise<Response>,
  ): Promise<T> {
    const value = await readJson(await response);
    if (!is(value)) throw new UnknownShape(what);
    return value;
  }

  return {
    consortia: async () => (await ask(isConsortiumList, 'a list of consortia', call('consortia'))).consortia,
    runs: async (most) => (await ask(isRunList, 'a list of runs', call(`runs?limit=${most}`))).runs,
    run: (runId) => ask(isRunDetail, 'a run', call(`runs/${segment(runId)}`)),
    startRun: (consortiumId, key) =>
      ask(
        isStartedRun,
        'an answer to Start Run',
        call(`consortia/${segment(consortiumId)}/runs`, {
          method: 'POST',
          headers: { 'idempotency-key': key },
          body: {},
        }),
      ),
    async stopRun(runId, reason) {
      await call(`runs/${segment(runId)}/stop`, {
        method: 'POST',
        body: reason === undefined ? {} : { reason },
      });
    },
    async passToCodec() {
      await call('codec/pass', { method: 'POST' });
    },
    async events(runId, lastEventId) {
      // Not a timeout of the whole call: once the stream has begun it stays open.
      const patience = new AbortController();
      const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
      const headers = { accept: 'text/event-stream', 'last-event-id': String(lastEventId) };
      const { body } = await request(`runs/${segment(runId)}/events`, {
        headers,
        signal: patience.signal,
      }).finally(() => clearTimeout(timer));
      if (body === null) throw new Unreachable('an events stream without a body');
      return body;
    },
  };
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

async function readProblem(response: Response): Promise<Problem | undefined> {
  const value = await readJson(response);
  return isProblem(value) ? value : undefined;
}
