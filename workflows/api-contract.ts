/**
 * The central API's payloads: what people, sites, central workers and nodes send to it and get from it.
 * Responses are validated by whoever reads them (client/), requests by the server.
 */
import { z } from 'zod';
import {
  Computation,
  ComputationRef,
  ConsortiumId,
  Kit,
  LaunchId,
  LaunchRef,
  NodeError,
  NodeName,
  NodeState,
  NodeView,
  Parameters,
  RunId,
  RunState,
  RunView,
  Site,
  SiteId,
  Sites,
  StatusReport,
  Windows,
} from './contract';
import { Ask, AskAnswer, Description, Membership, SitePolicy } from './consortium-contract';
import { SiteStanding } from './identity-contract';

// ---------------------------------------------------------------- who may call

/**
 * What an access token that is signed with the API's secret says of its bearer. `admin` is an operator, who may do everything
 * a person may; `node` is bound to one node of one launch; `central` is the central worker, `gateway` the site gateway.
 */
export const AccessClaims = z.discriminatedUnion('role', [
  z.object({ role: z.literal('admin'), sub: z.string() }),
  z.object({ role: z.literal('central'), sub: z.string() }),
  z.object({ role: z.literal('gateway'), sub: z.string() }),
  z.object({ role: z.literal('node'), sub: z.string(), runId: RunId, launchId: LaunchId, node: NodeName }),
]);
export type AccessClaims = z.output<typeof AccessClaims>;

/**
 * The kind of token (header `typ`) that a role comes with. Those of operators, of the parts of the centre and of nodes are kinds
 * of their own, so that none is taken for another, whatever it says of its bearer.
 */
export const TOKEN_KINDS = {
  admin: 'muster-person+jwt',
  central: 'muster-service+jwt',
  gateway: 'muster-service+jwt',
  node: 'muster-node+jwt',
} as const satisfies Record<AccessClaims['role'], string>;

// ---------------------------------------------------------------- computations

/** A registered version of a computation. It does not change: what is new has a new version. */
export const ComputationRecord = z.object({
  /** As it runs: its image is named by digest. */
  computation: Computation,
  /** Absent for a computation that runs only as local processes. */
  image: z
    .object({
      /** As its author names it. */
      reference: z.string(),
      labels: z.record(z.string(), z.string()),
    })
    .optional(),
  addedBy: z.string(),
  addedAt: z.number(),
});
export type ComputationRecord = z.output<typeof ComputationRecord>;
export const ComputationList = z.object({ computations: z.array(ComputationRecord) });

// ---------------------------------------------------------------- consortia

export const ConsortiumBody = z.strictObject({
  name: z.string().min(1).max(120),
  description: Description.optional(),
  /** A registered one. */
  computation: ComputationRef,
  parameters: Parameters.default({}).describe(
    "Of a run that does not bring its own. They are shown without what the computation's schema marks `writeOnly`.",
  ),
  sites: Sites,
  windows: Windows.prefault({}),
});
export type ConsortiumBody = z.output<typeof ConsortiumBody>;
export const ConsortiumView = z.object({
  id: ConsortiumId,
  name: ConsortiumBody.shape.name,
  description: Description.optional(),
  computation: ComputationRef.optional().describe('Absent until somebody has chosen one.'),
  parameters: Parameters,
  sites: z.array(Site).describe('Those that have accepted, and take part in runs.'),
  memberships: z.array(Membership).describe('Of every site that was ever invited.'),
  windows: Windows,
  archivedAt: z.number().optional().describe('Since when no run of it can be started.'),
  secrets: z
    .array(z.string())
    .optional()
    .describe('Where in the parameters there are values that are not shown, as JSON pointers.'),
});
export type ConsortiumView = z.output<typeof ConsortiumView>;
export const ConsortiumList = z.object({ consortia: z.array(ConsortiumView) });

// ---------------------------------------------------------------- sites

/** What an edge worker says of itself, again and again; `leaving` when it ends in order. */
export const PresenceBody = z.strictObject({
  state: z.enum(['here', 'leaving']),
  /** What it can run nodes with now. */
  runtimes: z.array(z.enum(['docker', 'process'])).max(2),
  version: z.string().min(1).max(60),
});
export type PresenceBody = z.output<typeof PresenceBody>;

export const SiteView = z.object({
  id: SiteId,
  /** As the first of its consortia calls it. */
  name: z.string().optional(),
  /** Those that name it, as far as the caller may see them. */
  consortia: z.array(ConsortiumId),
  /** Whether its edge worker is there; `unknown` if it was never heard of, or the API has not listened for long enough. */
  presence: z.enum(['here', 'away', 'unknown']),
  seenAt: z.number().optional(),
  runtimes: PresenceBody.shape.runtimes.optional(),
  version: PresenceBody.shape.version.optional(),
  /** Absent for a site that was never added. */
  standing: SiteStanding.optional(),
});
export type SiteView = z.output<typeof SiteView>;
export const SiteList = z.object({ sites: z.array(SiteView) });

/** A site as its administrators see it; others see of it what the consortia that they share know. */
export const SiteDetail = z.object({
  site: SiteView,
  /** In which consortia it takes part, or is invited to. */
  memberships: z.array(
    Membership.omit({ siteId: true }).extend({
      consortium: z.object({ id: ConsortiumId, name: z.string() }),
      computation: ComputationRef.optional(),
    }),
  ),
  policy: SitePolicy.optional().describe(
    'What its site.yaml says of runs as a whole. Absent: its edge worker has not said it, or is of an older version.',
  ),
  asks: z
    .array(Ask.extend({ answer: AskAnswer.optional().describe('Said on the page; the site takes it soon.') }))
    .describe(
      'Runs that wait for a person there, who answers at the site (`muster site approve`) or, where the policy says `page`, here. ' +
        'For its administrators.',
    ),
  saidAt: z.number().optional().describe('When the edge worker said so.'),
  mayEnrol: z.boolean().describe('Whether the caller may get codes by which it joins, and cut it off.'),
});
export type SiteDetail = z.output<typeof SiteDetail>;

// ---------------------------------------------------------------- runs

export const StartRunBody = z.strictObject({
  parameters: Parameters.optional().describe(
    "Instead of the consortium's, except for the secret ones that are left out here.",
  ),
});
export const StartedRun = z.object({
  runId: RunId,
  /** The run's page. */
  page: z.string(),
  /** The run in Temporal's Web UI, where the server knows its address. */
  temporal: z.string().optional(),
});
export type StartedRun = z.output<typeof StartedRun>;

/** An entry of the error log. */
export const ErrorEntry = NodeError.extend({
  runId: RunId,
  launchId: LaunchId.optional(),
  /** How often it was seen; a retried failure counts up. */
  count: z.int().positive(),
  firstAt: z.number(),
  lastAt: z.number(),
  /** Whether it is being tried again. */
  retrying: z.boolean(),
  advice: z.string(),
  /** Whose turn it is. */
  turn: z.string(),
});
export type ErrorEntry = z.output<typeof ErrorEntry>;

export const ErrorPage = z.object({
  errors: z.array(ErrorEntry),
  /** There are more: what to give as `after` for them. */
  next: z.string().optional(),
});
export type ErrorPage = z.output<typeof ErrorPage>;

/** One launch of a run, as it went. */
/** From which step on a run is retried: with new kits, with the kits that there are, or at its sites alone. */
export const RetryFrom = z.enum(['provision', 'launch', 'sites']);
export type RetryFrom = z.output<typeof RetryFrom>;

export const Attempt = z.object({
  launchId: LaunchId,
  /** Of an attempt at one site, beside the nodes that were there: which. */
  node: NodeName.optional(),
  /** How it began: with the run, by a retry, or because someone reset or started the run in Temporal. */
  how: z.enum(['start', 'retry', 'temporal']),
  /** Of a retry. */
  from: RetryFrom.optional(),
  /** Who asked for it; `Temporal` where only Temporal knows. */
  by: z.string(),
  reason: z.string().optional(),
  startedAt: z.number(),
  /** Of the run in this launch, or of the node. */
  state: z.union([RunState, NodeState]),
  endedAt: z.number().optional(),
  /** What the run, or the node, failed of in this launch. */
  error: NodeError.optional(),
});
export type Attempt = z.output<typeof Attempt>;

export const RunSummary = RunView.extend({ sites: z.int() });
export type RunSummary = z.output<typeof RunSummary>;
export const RunList = z.object({
  runs: z.array(RunSummary),
  next: z.string().optional().describe('There are more: what to give as `after` for them.'),
});
export const RunDetail = z.object({
  run: RunView,
  /** The central node first, then the sites. */
  nodes: z.array(NodeView),
  errors: z.array(ErrorEntry),
  /** Its launches, the oldest first. */
  attempts: z.array(Attempt),
  /** The newest event that is part of this picture, 0 before the first: the events stream goes on from here. */
  lastEventId: z.int(),
  links: z.object({ page: z.string(), temporal: z.string().optional() }),
});
export type RunDetail = z.output<typeof RunDetail>;

export const StopRunBody = z.strictObject({ reason: z.string().max(500).optional() });

export const RetryRunBody = z.strictObject({
  reason: z.string().max(500).optional(),
  from: RetryFrom.optional().describe(
    '`provision`: the run begins anew, also after its end. While it is under way: `launch`, all its nodes begin anew with the ' +
      'kits that there are; `sites`, the nodes of its sites that are not complete begin anew, where the computation takes ' +
      'returning sites in. Without it `provision`, or `sites` where a site is named.',
  ),
  site: SiteId.optional().describe('With `sites`: the node of this site alone.'),
});
export type RetryRunBody = z.output<typeof RetryRunBody>;

/** One line of a run's history as the events stream sends it; `id` is the Last-Event-ID. */
export const RunEvent = z.object({
  id: z.int(),
  runId: RunId,
  at: z.number(),
  type: z.enum(['CentralClientStartRun', 'EdgeClientStartRun', 'run', 'node', 'error']),
  /** `run`: RunView; `node`: NodeView; `error`: ErrorEntry; starts: what was started. */
  data: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.output<typeof RunEvent>;

// ---------------------------------------------------------------- reports of workers and nodes

export const StartedReportBody = z.strictObject({
  launchId: LaunchId,
  endpoint: z.strictObject({ host: z.string(), ports: z.array(z.int()) }),
  sites: z.array(NodeName),
  at: z.number(),
});
export const StatusReportBody = z.strictObject({
  at: z.number(),
  seq: z.int(),
  /** Temporal's id of the execution that speaks: the one that a reset changes. */
  execution: z.string(),
  run: RunView,
  passed: StatusReport.shape.passed,
  nodes: z.array(NodeView),
});
export type StatusReportBody = z.output<typeof StatusReportBody>;
/** Body of both reportErrorCentral and reportErrorEdge. */
export const ErrorReportBody = z.strictObject({
  launchId: LaunchId,
  error: NodeError,
  retrying: z.boolean(),
  at: z.number(),
});
export type ErrorReportBody = z.output<typeof ErrorReportBody>;

/** What one kit is sealed with: 32 bytes as base64url. */
export const ContentKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes as base64url');

/** What a central worker says of the kits that it has published for a launch. */
export const RunKitsBody = z.strictObject({
  /** Digest of what the nodes are to run. */
  computation: Kit.shape.sha256,
  /** Those of sites: the central node's is opened where it was sealed. */
  kits: z
    .array(
      Kit.omit({ key: true }).extend({
        node: SiteId,
        dataset: Site.shape.dataset,
        key: ContentKey,
      }),
    )
    .min(1)
    .max(1000),
});
export type RunKitsBody = z.output<typeof RunKitsBody>;

/** How a worker gets a node's kit, and how that node may report on itself. */
export const RunKitAccess = z.object({
  /** Presigned and short-lived. */
  url: z.string(),
  /** Path of the node's report URL; the worker puts the address before it by which its nodes reach the API. */
  reportPath: z.string(),
  reportToken: z.string(),
  /** For a site. */
  sealed: z
    .object({
      /** What the launch is, signed by this instance: a compact JWS; good for as long as the URL. */
      manifest: z.string(),
      /** What the kit is sealed with, sealed itself to the key of the site's certificate: a compact JWE. */
      contentKey: z.string(),
    })
    .optional(),
});
export type RunKitAccess = z.output<typeof RunKitAccess>;

/** How many launches a worker asks about at once. */
export const MAX_LAUNCHES_ASKED = 50;

/** Launches that a worker still holds something of: containers, processes, folders, ports. */
export const LaunchesBody = z.strictObject({
  launches: z.array(z.strictObject(LaunchRef.shape)).max(MAX_LAUNCHES_ASKED),
});

/** `over`: nobody looks after it any more, and what is left of it may be removed. */
export const LaunchLiveness = z.enum(['live', 'over', 'unknown']);
export type LaunchLiveness = z.output<typeof LaunchLiveness>;
export const LaunchesLiveness = z.object({
  launches: z.array(LaunchRef.extend({ state: LaunchLiveness })),
});
export type LaunchesLiveness = z.output<typeof LaunchesLiveness>;

// ---------------------------------------------------------------- logs and results

/** A part of a log as a worker sends it: whole gzip members that are, at most, so many bytes and so much text. */
export const MAX_LOG_PART_BYTES = 2 ** 20;
export const MAX_LOG_PART_TEXT = 2 ** 21;

/** The answer to a part of a log: where the next part begins. */
export const StoredLogPart = z.object({ next: z.int().nonnegative() });
/** A message of the stream that follows a node's log; its id is the offset at which the next one begins. */
export const LogMessage = z.union([
  z.object({ text: z.string() }),
  /** Nothing follows. */
  z.object({ end: z.literal(true) }),
]);
export type LogMessage = z.output<typeof LogMessage>;

/** The central node's results. */
export const ResultList = z.object({
  results: z.array(
    z.object({
      name: z.string(),
      size: z.int().nonnegative(),
      sha256: z.string(),
      /** Presigned and short-lived. */
      url: z.string(),
    }),
  ),
  /** Why there are none. */
  why: z.string().optional(),
});
export type ResultList = z.output<typeof ResultList>;

// ---------------------------------------------------------------- problems

export { Problem } from './problem-contract';
