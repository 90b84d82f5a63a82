/**
 * The central API as typed calls, for workers and the command line. A call is made once: who needs it to succeed in
 * the end (an activity, a person) tries again. Answers are checked against the contract before anyone sees them.
 */
import type { z } from 'zod';
import { timeLimit } from '../time/limit';
import {
  ComputationList,
  ComputationRecord,
  ConsortiumList,
  ConsortiumView,
  ErrorPage,
  LaunchesLiveness,
  ResultList,
  RunDetail,
  RunKitAccess,
  RunList,
  SiteList,
  StartedRun,
  StoredLogPart,
} from '../workflows/api-contract';
import type {
  ConsortiumBody,
  ErrorReportBody,
  RetryRunBody,
  RunKitsBody,
  LaunchesBody,
  PresenceBody,
  StartedReportBody,
  StartRunBody,
  StatusReportBody,
  StopRunBody,
} from '../workflows/api-contract';
import { SiteAnswers, SiteMemberships, SiteNews, type ReadinessBody } from '../workflows/consortium-contract';
import type { Computation, ComputationRef, NodeReport } from '../workflows/contract';
import { DeliveryOrder, type DeliveryReport } from '../workflows/notice-contract';
import { RevokedSite, SiteAuthority, SiteCredentials, SiteInvitation } from '../workflows/identity-contract';
import type {
  AddSiteBody,
  EnrolSiteBody,
  RenewCertificateBody,
  RevokeSiteBody,
} from '../workflows/identity-contract';
import { ApiProblem, ApiUnreachable, networkReason } from './errors';
import { readJson, readProblem } from './read-json';

export interface CentralApiOptions {
  /** Address of the API, such as `http://127.0.0.1:7400`; a path before `/api` is kept. */
  url: string;
  /** Access token; see AccessClaims for what each role may do. Sites show a certificate instead. */
  token?: string;
  fetch?: Fetch;
  /** How long one call may take, answer included. */
  timeoutMs?: number;
}

/** As much of `fetch` as is needed here. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    signal?: AbortSignal;
  },
) => Promise<{
  ok: boolean;
  status: number;
  body: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}>;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
interface Call {
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  gzip?: Uint8Array;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const segment = encodeURIComponent;
const logPath = (runId: string, node: string, more: string, launchId: string | undefined) =>
  `/api/runs/${segment(runId)}/nodes/${segment(node)}/log${more}` +
  (launchId === undefined ? '' : `?launch=${segment(launchId)}`);

/** A client of the central API at `url`. Every call throws {@link ApiProblem} or {@link ApiUnreachable}, or the reason of an aborted `signal`. */
export function createCentralApi({
  url,
  token,
  fetch = globalThis.fetch,
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: CentralApiOptions) {
  const base = url.replace(/\/+$/, '');

  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function request(method: Method, path: string, call: Call): ReturnType<Fetch> {
    const { headers, signal } = call;
    const response = await fetch(base + path, {
      method,
      ...contentOf(call),
      headers: { ...authorization, ...contentOf(call).headers, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok)
      throw new ApiProblem(response.status, `${method} ${path}`, readProblem(await response.text()));
    return response;
  }

  /** Runs `exchange`, and names every failure that is not an answer of the API. */
  async function guarded<T>(signal: AbortSignal | undefined, exchange: () => Promise<T>): Promise<T> {
    try {
      return await exchange();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiProblem || error instanceof ApiUnreachable) throw error;
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      throw new ApiUnreachable(base, late ? `nothing within ${timeoutMs} ms` : networkReason(error), {
        cause: error,
      });
    }
  }

  const call = (method: Method, path: string, { signal, ...rest }: Call) =>
    guarded(signal, async () => {
      const timeout = timeLimit(timeoutMs);
      const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      const response = await request(method, path, { ...rest, signal: limit });
      return response.text();
    });

  async function ask<Schema extends z.ZodType>(
    schema: Schema,
    method: Method,
    path: string,
    options: Call,
  ): Promise<z.output<Schema>> {
    const answer = schema.safeParse(readJson(await call(method, path, options)));
    if (answer.success) return answer.data;
    const [issue] = answer.error.issues;
    const where = issue === undefined ? '' : ` (/${issue.path.join('/')}: ${issue.message})`;
    throw new ApiUnreachable(
      base,
      `its answer to ${method} ${path} is not of this version of Muster${where}`,
    );
  }

  /** The bytes of an answer as they come. */
  const stream = (path: string, call: Call & { signal: AbortSignal }) =>
    guarded(call.signal, async () => {
      const { body } = await request('GET', path, call);
      if (body === null) throw new ApiUnreachable(base, 'its answer is empty');
      return body;
    });

  /** An events stream, from after `lastEventId`. */
  const open = (path: string, lastEventId: number | undefined, signal: AbortSignal) => {
    const after = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
    return stream(path, { headers: { accept: 'text/event-stream', ...after }, signal });
  };

  async function tell(
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    headers: Record<string, string> = {},
  ): Promise<void> {
    await call('POST', path, { body, headers, signal });
  }

  return {
    /** Registers a version of a computation. While its image is being pulled, the problem is `image-pending`: ask again. */
    addComputation: (
      manifest: z.input<typeof Computation>,
      { replace = false }: { replace?: boolean } = {},
      signal?: AbortSignal,
    ) =>
      ask(ComputationRecord, 'POST', `/api/computations${replace ? '?replace=true' : ''}`, {
        body: manifest,
        signal,
      }),

    listComputations: (signal?: AbortSignal) => ask(ComputationList, 'GET', '/api/computations', { signal }),

    getComputation: ({ name, version }: ComputationRef, signal?: AbortSignal) =>
      ask(ComputationRecord, 'GET', `/api/computations/${segment(name)}/${segment(version)}`, { signal }),

    removeComputation: async ({ name, version }: ComputationRef, signal?: AbortSignal) => {
      await call('DELETE', `/api/computations/${segment(name)}/${segment(version)}`, { signal });
    },

    /** Creates the consortium or replaces it. */
    putConsortium: (consortiumId: string, body: z.input<typeof ConsortiumBody>, signal?: AbortSignal) =>
      ask(ConsortiumView, 'PUT', `/api/consortia/${segment(consortiumId)}`, { body, signal }),

    listConsortia: (signal?: AbortSignal) => ask(ConsortiumList, 'GET', '/api/consortia', { signal }),

    getConsortium: (consortiumId: string, signal?: AbortSignal) =>
      ask(ConsortiumView, 'GET', `/api/consortia/${segment(consortiumId)}`, { signal }),

    /** The sites of one consortium, or all that the token may see. */
    listSites: (consortiumId?: string, signal?: AbortSignal) =>
      ask(
        SiteList,
        'GET',
        consortiumId === undefined ? '/api/sites' : `/api/sites?consortium=${segment(consortiumId)}`,
        { signal },
      ),

    /** A code by which a site may join once. */
    addSite: (body: z.input<typeof AddSiteBody>, signal?: AbortSignal) =>
      ask(SiteInvitation, 'POST', '/api/sites', { body, signal }),

    /** What the API for sites is certified by; to be compared with the pin of a code before it is trusted. */
    getSiteAuthority: (signal?: AbortSignal) => ask(SiteAuthority, 'GET', '/api/site/authority', { signal }),

    /** Exchanges a code for the site's first certificate. */
    joinSite: (siteId: string, body: z.input<typeof EnrolSiteBody>, signal?: AbortSignal) =>
      ask(SiteCredentials, 'POST', `/api/sites/${segment(siteId)}/certificate`, { body, signal }),

    /** The next certificate of the site whose certificate is shown. */
    renewCertificate: (body: z.input<typeof RenewCertificateBody>, signal?: AbortSignal) =>
      ask(SiteCredentials, 'POST', '/api/site/certificate', { body, signal }),

    /** Cuts a site off. */
    revokeSite: (siteId: string, body: z.input<typeof RevokeSiteBody>, signal?: AbortSignal) =>
      ask(RevokedSite, 'POST', `/api/sites/${segment(siteId)}/revoke`, { body, signal }),

    /** Starts a run, or gives the one that was started with the same `idempotencyKey`. */
    startRun: (
      consortiumId: string,
      body: z.input<typeof StartRunBody>,
      idempotencyKey: string,
      signal?: AbortSignal,
    ) =>
      ask(StartedRun, 'POST', `/api/consortia/${segment(consortiumId)}/runs`, {
        body,
        headers: { 'idempotency-key': idempotencyKey },
        signal,
      }),

    /** Runs of one consortium, or all that the token may see. */
    listRuns: (consortiumId?: string, signal?: AbortSignal) =>
      ask(
        RunList,
        'GET',
        consortiumId === undefined ? '/api/runs' : `/api/runs?consortium=${segment(consortiumId)}`,
        {
          signal,
        },
      ),

    getRun: (runId: string, signal?: AbortSignal) =>
      ask(RunDetail, 'GET', `/api/runs/${segment(runId)}`, { signal }),

    /** A page of the run's failures, the earliest first. */
    listErrors: (
      runId: string,
      only: { node?: string; type?: string; retrying?: boolean; limit?: number; after?: string } = {},
      signal?: AbortSignal,
    ) => {
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(only)) query.set(key, String(value));
      return ask(ErrorPage, 'GET', `/api/runs/${segment(runId)}/errors?${query.toString()}`, { signal });
    },

    /** Asks the run to stop; it has stopped when its state says so. */
    stopRun: (runId: string, body: z.input<typeof StopRunBody> = {}, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/stop`, body, signal),

    /** Lets the run begin anew; the same `idempotencyKey` once more does nothing. */
    retryRun: (
      runId: string,
      body: z.input<typeof RetryRunBody>,
      idempotencyKey: string,
      signal?: AbortSignal,
    ) => tell(`/api/runs/${segment(runId)}/retry`, body, signal, { 'idempotency-key': idempotencyKey }),

    /** The events stream's bytes, from after `lastEventId`. It stays open: abort `signal` to leave. {@link followRun} reads it. */
    openRunEvents: (runId: string, lastEventId: number | undefined, signal: AbortSignal) =>
      open(`/api/runs/${segment(runId)}/events`, lastEventId, signal),

    /** A part of a node's log: whole gzip members, of which the first is at `start` in the log. Answers where the next is. */
    putNodeLog: (
      runId: string,
      launchId: string,
      node: string,
      start: number,
      gzip: Uint8Array,
      signal?: AbortSignal,
    ) =>
      ask(
        StoredLogPart,
        'PUT',
        `/api/runs/${segment(runId)}/launches/${segment(launchId)}/nodes/${segment(node)}/log?start=${start}`,
        { gzip, signal },
      ),

    /** The text of a node's log so far. */
    openNodeLog: (runId: string, node: string, launchId: string | undefined, signal: AbortSignal) =>
      stream(logPath(runId, node, '', launchId), { signal }),

    /** The bytes of the stream that follows a node's log, from after `lastEventId`. {@link followLog} reads it. */
    openNodeLogEvents: (
      runId: string,
      node: string,
      launchId: string | undefined,
      lastEventId: number | undefined,
      signal: AbortSignal,
    ) => open(logPath(runId, node, '/events', launchId), lastEventId, signal),

    /** The central node's results, and where they can be downloaded now. */
    listResults: (runId: string, signal?: AbortSignal) =>
      ask(ResultList, 'GET', `/api/runs/${segment(runId)}/results`, { signal }),

    reportRunStartedCentral: (runId: string, body: z.input<typeof StartedReportBody>, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/started`, body, signal),

    reportStatusCentral: (runId: string, body: z.input<typeof StatusReportBody>, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/status`, body, signal),

    reportErrorCentral: (runId: string, body: z.input<typeof ErrorReportBody>, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/errors/central`, body, signal),

    reportErrorEdge: (runId: string, body: z.input<typeof ErrorReportBody>, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/errors/edge`, body, signal),

    /** What the kits of sites are sealed with, and what their launch is. The same again is no error. */
    putRunKits: async (
      runId: string,
      launchId: string,
      body: z.input<typeof RunKitsBody>,
      signal?: AbortSignal,
    ) => {
      await call('PUT', `/api/runs/${segment(runId)}/launches/${segment(launchId)}/kits`, { body, signal });
    },

    /** No kit of the launch can be opened from now on by whoever does not have its key. */
    removeRunKits: async (runId: string, launchId: string, signal?: AbortSignal) => {
      await call('DELETE', `/api/runs/${segment(runId)}/launches/${segment(launchId)}/kits`, { signal });
    },

    /** Where a node's kit is downloaded, and how that node may report on itself. */
    getRunKit: (runId: string, launchId: string, node: string, signal?: AbortSignal) =>
      ask(
        RunKitAccess,
        'POST',
        `/api/runs/${segment(runId)}/launches/${segment(launchId)}/kits/${segment(node)}`,
        { signal },
      ),

    /** An edge worker says that it is there; an API that is older has no news for it. */
    reportPresence: async (siteId: string, body: z.input<typeof PresenceBody>, signal?: AbortSignal) => {
      const text = await call('POST', `/api/sites/${segment(siteId)}/presence`, { body, signal });
      return SiteNews.safeParse(readJson(text)).data;
    },

    /** What the site that calls is to judge. */
    getMemberships: (signal?: AbortSignal) =>
      ask(SiteMemberships, 'GET', '/api/site/memberships', { signal }),

    /** What people said on the page of runs that wait at the site that calls. */
    getAnswers: (signal?: AbortSignal) => ask(SiteAnswers, 'GET', '/api/site/answers', { signal }),

    /** The site that calls says what it would let run. */
    reportReadiness: (body: z.input<typeof ReadinessBody>, signal?: AbortSignal) =>
      tell('/api/site/readiness', body, signal),

    /** Whether launches that a worker holds something of are still live; at most `MAX_LAUNCHES_ASKED` of them. */
    askLiveness: (body: z.input<typeof LaunchesBody>, signal?: AbortSignal) =>
      ask(LaunchesLiveness, 'POST', '/api/launches/live', { body, signal }),

    /** What is to be sent to a receiver of notices. */
    getDeliveryOrder: (deliveryId: string, signal?: AbortSignal) =>
      ask(DeliveryOrder, 'GET', `/api/notice-deliveries/${segment(deliveryId)}`, { signal }),

    /** What became of an attempt to send it. */
    reportDelivery: (deliveryId: string, body: z.input<typeof DeliveryReport>, signal?: AbortSignal) =>
      tell(`/api/notice-deliveries/${segment(deliveryId)}/report`, body, signal),

    /** What a node says of itself, with that node's own token. */
    reportNode: (runId: string, node: string, body: z.input<typeof NodeReport>, signal?: AbortSignal) =>
      tell(`/api/runs/${segment(runId)}/nodes/${segment(node)}/report`, body, signal),
  };
}
export type CentralApi = ReturnType<typeof createCentralApi>;

function contentOf({ body, gzip }: Call): {
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
} {
  if (gzip !== undefined)
    return { headers: { 'content-type': 'application/gzip' }, body: new Uint8Array(gzip) };
  if (body === undefined) return {};
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
