/**
 * The central API as workers and sites call it, and as a site joins; people's programs have the client of `muster-api.ts`. A call is
 * made once: who needs it to succeed in the end (an activity) tries again. Answers are checked against the contract before anyone sees them.
 */
import type { z } from 'zod';
import { timeLimit } from '../time/limit';
import { LaunchesLiveness, RunKitAccess, StoredLogPart } from '../workflows/api-contract';
import type {
  ErrorReportBody,
  LaunchesBody,
  PresenceBody,
  RunKitsBody,
  StartedReportBody,
  StatusReportBody,
} from '../workflows/api-contract';
import { SiteAnswers, SiteMemberships, SiteNews, type ReadinessBody } from '../workflows/consortium-contract';
import { DeliveryOrder, type DeliveryReport } from '../workflows/notice-contract';
import { SiteAuthority, SiteCredentials } from '../workflows/identity-contract';
import type { EnrolSiteBody, RenewCertificateBody } from '../workflows/identity-contract';
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
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const segment = encodeURIComponent;

/** A client of the central API at `url`. Every call throws {@link ApiProblem} or {@link ApiUnreachable}, or the reason of an aborted `signal`. */
export function createCentralApi({
  url,
  token,
  fetch = globalThis.fetch,
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: CentralApiOptions) {
  const base = url.replace(/\/+$/, '');

  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };

  /** The text of a good answer; every failure that is not an answer of the API is named. */
  async function call(method: Method, path: string, { signal, ...content }: Call): Promise<string> {
    try {
      const timeout = timeLimit(timeoutMs);
      const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      const { headers, ...body } = contentOf(content);
      const sent = { method, ...body, headers: { ...authorization, ...headers }, signal: limit };
      const response = await fetch(base + path, sent);
      const text = await response.text();
      if (response.ok) return text;
      throw new ApiProblem(response.status, `${method} ${path}`, readProblem(text));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiProblem) throw error;
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      const reason = late ? `nothing within ${timeoutMs} ms` : networkReason(error);
      throw new ApiUnreachable(base, reason, { cause: error });
    }
  }

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

  async function tell(path: string, body: unknown, signal: AbortSignal | undefined): Promise<void> {
    await call('POST', path, { body, signal });
  }

  return {
    /** What the API for sites is certified by; to be compared with the pin of a code before it is trusted. */
    getSiteAuthority: (signal?: AbortSignal) => ask(SiteAuthority, 'GET', '/api/site/authority', { signal }),

    /** Exchanges a code for the site's first certificate. */
    joinSite: (siteId: string, body: z.input<typeof EnrolSiteBody>, signal?: AbortSignal) =>
      ask(SiteCredentials, 'POST', `/api/sites/${segment(siteId)}/certificate`, { body, signal }),

    /** The next certificate of the site whose certificate is shown. */
    renewCertificate: (body: z.input<typeof RenewCertificateBody>, signal?: AbortSignal) =>
      ask(SiteCredentials, 'POST', '/api/site/certificate', { body, signal }),

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
  };
}
export type CentralApi = ReturnType<typeof createCentralApi>;

function contentOf({ body, gzip }: Omit<Call, 'signal'>): {
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
} {
  if (gzip !== undefined)
    return { headers: { 'content-type': 'application/gzip' }, body: new Uint8Array(gzip) };
  if (body === undefined) return {};
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
