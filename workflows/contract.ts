/**
 * The contract between the rooms: every id, queue name, object key, label, signal, query and activity payload.
 * Workflows, activities, workers, the central API and the command line agree here and nowhere else.
 * Payloads of HTTP requests are in api-contract.ts, so that the workflow bundle does not carry them.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import { z } from 'zod';

// ---------------------------------------------------------------- words

const SLUG = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** The central node's name in a run; every other node is named by its site's id. */
export const CENTRAL_NODE = 'central';
/** The container that makes the runKits; it is a node too, so that it is found, stopped and removed like one. */
export const PROVISION_NODE = 'provision';
/** The folder name that computations give to the central node's kit. */
export const CENTRAL_KIT_FOLDER = 'centralNode';

const RESERVED_SITE_IDS: readonly string[] = [CENTRAL_NODE, PROVISION_NODE, CENTRAL_KIT_FOLDER.toLowerCase()];

/** A run's id: the workflow id, the container label and the first part of every object key. */
export const RunId = z.string().max(80).regex(SLUG, 'use a-z, 0-9 and - only');
/** One attempt at bringing a run's nodes up. */
export const LaunchId = z.string().regex(/^[a-z0-9]{12}$/, 'a launch id is 12 characters a-z, 0-9');
export const ConsortiumId = z.string().max(40).regex(SLUG, 'use a-z, 0-9 and - only');
export const SiteId = z
  .string()
  .max(40)
  .regex(SLUG, 'use a-z, 0-9 and - only')
  .refine((id) => !RESERVED_SITE_IDS.includes(id), 'is a reserved name');
export const NodeName = z.string().max(40).regex(SLUG);

/** A length of time as people write it: `500ms`, `20s`, `5m`, `24h`, `7d`. */
export const Duration = z
  .templateLiteral([z.int(), z.enum(['ms', 's', 'm', 'h', 'd'])], {
    error: 'a duration is a whole number and ms, s, m, h or d: 500ms, 20s, 5m',
  })
  .refine((text) => !text.startsWith('-'), 'a duration is not negative')
  .meta({ pattern: '^\\d+(ms|s|m|h|d)$' });
export type Duration = z.output<typeof Duration>;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds in a {@link Duration}. */
export function toMilliseconds(duration: Duration): number {
  const [, amount = '0', unit = 'ms'] = /^(\d+)(ms|s|m|h|d)$/.exec(duration) ?? [];
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** A size in bytes as people write it: `4Gi`, `256Mi`, `1048576`. */
export const ByteSize = z
  .string()
  .regex(/^\d+(?:Ki|Mi|Gi|Ti)?$/, 'a size is a whole number and Ki, Mi, Gi or Ti: 256Mi');

const UNIT_BYTES = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;

/** Bytes in a {@link ByteSize}. */
export function toBytes(size: string): number {
  const [, amount = '0', unit = ''] = /^(\d+)(Ki|Mi|Gi|Ti)?$/.exec(size) ?? [];
  return Number(amount) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES];
}

// ---------------------------------------------------------------- names derived from ids

/** Queue of RunWorkflow, EdgeRunWorkflow and of the activities that any central worker may do. */
export const CENTRAL_QUEUE = 'central';
/** Queue of one central host: work that needs its folders, ports and containers. */
export const hostQueue = (hostId: string) => `central.${hostId}`;
/** Queue of one site's edge worker. */
export const siteQueue = (siteId: string) => `site.${siteId}`;
/** Workflow id of a site's part in a run. */
export const edgeRunWorkflowId = (runId: string, siteId: string) => `${runId}.site.${siteId}`;
/** Workflow id of looking an image up; no run's id has a colon. */
export const resolveImageWorkflowId = (image: string) => `image:${image}`;

/** Object keys: everything of a launch lies below one prefix. */
export const launchPrefix = (runId: string, launchId: string) => `runs/${runId}/${launchId}`;
export const kitKey = (runId: string, launchId: string, node: string) =>
  `${launchPrefix(runId, launchId)}/kits/${node}.zip`;
export const kitManifestKey = (runId: string, launchId: string) =>
  `${launchPrefix(runId, launchId)}/kits/manifest.json`;
export const resultKey = (runId: string, launchId: string, node: string, name: string) =>
  `${launchPrefix(runId, launchId)}/results/${node}/${name}`;
/** Names, sizes and digests of the central results; written last, so that where it is they are all there. */
export const resultManifestKey = (runId: string, launchId: string) =>
  `${launchPrefix(runId, launchId)}/results/manifest.json`;
/** A node's log: parts of one gzip file, each named by the offset at which it begins. */
export const logPrefix = (runId: string, launchId: string, node: string) =>
  `${launchPrefix(runId, launchId)}/logs/${node}`;
/** The keys have the order of the offsets. */
export const logPartKey = (runId: string, launchId: string, node: string, start: number) =>
  `${logPrefix(runId, launchId, node)}/${String(start).padStart(12, '0')}.gz`;

/** Labels that bind a container to its run. The run label is the workflow id: no other mapping exists. */
export const LABEL_RUN = 'io.muster.run';
export const LABEL_LAUNCH = 'io.muster.launch';
export const LABEL_NODE = 'io.muster.node';
/** The worker that made a container, by the id of its state folder: several may share one engine. */
export const LABEL_HOST = 'io.muster.host';
/** `host`: the label of that name. Two instances of Muster on one engine may have runs of one id. */
export const containerName = (runId: string, node: string, host: string) =>
  `muster-${runId}-${node}-${host.slice(0, 8)}`;

// ---------------------------------------------------------------- computation

/** Any JSON object; what it holds is its author's business. */
export const JsonObject = z.record(z.string(), z.json());

const Command = z.array(z.string().min(1)).min(1);

/**
 * What a computation image offers: `computation.yaml`. The descriptions are the reference in docs/computations.md, which
 * the tests hold against this schema.
 */
export const Computation = z.strictObject({
  name: z
    .string()
    .max(60)
    .regex(SLUG, 'use a-z, 0-9 and - only')
    .describe('What it is called: a-z, 0-9 and -.'),
  version: z
    .string()
    .min(1)
    .max(60)
    .describe('Which version of it. A version is registered once and does not change after that.'),
  image: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Image reference, digest or local image id. It is resolved to a digest when the version is registered, and that is what runs. ' +
        'Absent for a computation that runs only as local processes.',
    ),
  commands: z
    .strictObject({
      provision: Command.default(['python', '/workspace/system/entry_provision.py']).describe(
        'Makes the kits.',
      ),
      central: Command.default(['python', '/workspace/system/entry_central.py']).describe(
        'The central node.',
      ),
      edge: Command.default(['python', '/workspace/system/entry_edge.py']).describe('The node of a site.'),
    })
    .prefault({}),
  provisionInput: z
    .enum(['users', 'users+admin_port', 'user_ids+admin_port'])
    .default('users')
    .describe(
      'The keys of `provision_input.json`. Images made for NVFlare 2.4 want a second port, or ids without names: one more port is ' +
        'reserved for them than `ports` says.',
    ),
  parameters: JsonObject.default({}).describe(
    'JSON Schema of the parameters (2020-12, or draft-07 where `$schema` says so). A run whose parameters do not fit is refused.',
  ),
  outputs: z
    .strictObject({
      central: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Globs, relative to the output folder. Each must match a file for the central node to count as complete.',
        ),
      edge: z.array(z.string().min(1)).default([]).describe('The same for the node of a site.'),
    })
    .prefault({}),
  ports: z.int().min(1).max(8).default(1).describe('How many federation ports the central node listens on.'),
  resources: z
    .strictObject({
      cpus: z.number().positive().default(2).describe('Processors; a fraction is possible.'),
      memory: ByteSize.default('4Gi').describe(
        'Memory. A node that wants more is killed, and the run says so.',
      ),
      pids: z.int().positive().default(512).describe('Processes and threads.'),
      shm: ByteSize.default('256Mi').describe('Size of `/dev/shm`.'),
      gpus: z.int().nonnegative().default(0).describe('Graphics processors.'),
    })
    .prefault({})
    .describe('What each node gets, at most what its host grants. The process runtime enforces none of it.'),
  deadlines: z
    .strictObject({
      provision: Duration.prefault('5m').describe('How long provisioning may take.'),
      start: Duration.prefault('10m').describe('How long a site may take to bring its node up.'),
      run: Duration.prefault('24h').describe('How long the nodes may run.'),
      stopGrace: Duration.prefault('20s').describe('From SIGTERM to SIGKILL.'),
    })
    .prefault({}),
  failure: z
    .strictObject({
      onSiteFailure: z
        .enum(['fail-run', 'continue'])
        .default('fail-run')
        .describe('Whether the failure of one site ends the run at once.'),
      minSites: z
        .union([z.literal('all'), z.int().positive()])
        .default('all')
        .describe('How many sites have to complete for the run to be complete.'),
      mayReturn: z
        .boolean()
        .default(false)
        .describe(
          'Whether the central node, while it runs, takes in a site that comes late or once more. Only then can the node of one ' +
            'site be retried alone.',
        ),
    })
    .prefault({}),
  signature: z
    .string()
    .max(100_000)
    .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'is not as `muster computation sign` makes it')
    .optional()
    .describe(
      'Of what runs at a site: name, version, image by its digest, commands, outputs and resources. `muster computation sign` writes ' +
        'it; a site may ask for that of a certain signer.',
    ),
});
export type Computation = z.output<typeof Computation>;

/** What a node needs to know of its computation: all but what is only about provisioning. */
export const NodeComputation = Computation.omit({ parameters: true, provisionInput: true });
export type NodeComputation = z.output<typeof NodeComputation>;

/** Which version of which computation. */
export const ComputationRef = Computation.pick({ name: true, version: true });
export type ComputationRef = z.output<typeof ComputationRef>;

/** An image as it is on a central host: its reference may mean something else tomorrow, its digest never. */
export const ResolvedImage = z.strictObject({
  /** `repository@sha256:...` where a registry knows the image, else the local image id `sha256:...`. */
  digest: z.string(),
  labels: z.record(z.string(), z.string()),
});
export type ResolvedImage = z.output<typeof ResolvedImage>;

// ---------------------------------------------------------------- run input

export const Site = z.strictObject({
  id: SiteId,
  name: z.string().min(1).max(120),
  /** The consortium's name for the data; the site maps it to a folder of its own. */
  dataset: z.string().min(1).max(120),
});
export type Site = z.output<typeof Site>;

const distinct = (values: readonly string[]) => new Set(values).size === values.length;
export const Sites = z
  .array(Site)
  .min(1, 'a run needs at least one site')
  .max(1000)
  .refine((sites) => distinct(sites.map((site) => site.id)), 'site ids must differ')
  .refine((sites) => distinct(sites.map((site) => site.name)), 'site names must differ');

/** A computation's parameters: a JSON object. */
export const Parameters = JsonObject;
export type Parameters = z.output<typeof Parameters>;

/** How long a run waits for a person or a site before it gives up. */
export const Windows = z.strictObject({
  /** A failure that a person can mend keeps being retried for this long. */
  retry: Duration.prefault('10m'),
  /** How long a site with a running node may be silent before it is called lost. */
  lostAfter: Duration.prefault('10m'),
  /** After the grace period, how long a site may take to confirm that it has stopped before it is called lost. */
  stopConfirm: Duration.prefault('1m'),
});
export type Windows = z.output<typeof Windows>;

/** RunWorkflow's only argument. It holds all that a run needs, so a run can be started again from Temporal's Web UI. */
export const RunInput = z.strictObject({
  consortium: z.strictObject({ id: ConsortiumId, name: z.string().min(1).max(120) }),
  computation: Computation,
  parameters: Parameters.default({}),
  sites: Sites,
  startedBy: z.string().min(1).max(120),
  windows: Windows.prefault({}),
});
export type RunInput = z.output<typeof RunInput>;
/** {@link RunInput} as it may be written, with defaults left out. */
export type RunInputDraft = z.input<typeof RunInput>;

// ---------------------------------------------------------------- states

export const RUN_STATES = [
  'provisioning',
  'publishing',
  'launching',
  'running',
  'stopping',
  'complete',
  'failed',
  'stopped',
] as const;
export const RunState = z.enum(RUN_STATES);
export type RunState = z.output<typeof RunState>;

/** States of a site, and of the central node (which is never `fetching` or `refused`). */
export const NODE_STATES = [
  'waiting',
  'fetching',
  'launching',
  'running',
  'complete',
  'failed',
  'refused',
  'stopping',
  'stopped',
  'lost',
] as const;
export const NodeState = z.enum(NODE_STATES);
export type NodeState = z.output<typeof NodeState>;

export const TERMINAL_RUN_STATES: readonly RunState[] = ['complete', 'failed', 'stopped'];
export const TERMINAL_NODE_STATES: readonly NodeState[] = [
  'complete',
  'failed',
  'refused',
  'stopped',
  'lost',
];

/** An error that names where it happened, what it was and (in its type, see errors.ts) whose turn it is. */
export const NodeError = z.strictObject({
  node: NodeName,
  /** The activity or phase in which it happened. */
  phase: z.string().max(60),
  type: z.string().max(60),
  message: z.string().max(4000),
});
export type NodeError = z.output<typeof NodeError>;

/** A file that a node left in its output folder. */
export const OutputFile = z.strictObject({ name: z.string().max(500), size: z.int().nonnegative() });
export type OutputFile = z.output<typeof OutputFile>;

/** What a node itself says of its progress through its report URL. */
export const NodeReport = z.strictObject({
  phase: z.string().min(1).max(60),
  detail: z.string().max(500).optional(),
  /** 0 to 1. */
  progress: z.number().min(0).max(1).optional(),
});
export type NodeReport = z.output<typeof NodeReport>;

/** What is known of the end of a node that failed. */
const HowItEnded = {
  exitCode: z.int().optional(),
  /** When, by its host's clock. */
  endedAt: z.number().optional(),
  /** Where the computation itself says that the error happened. */
  origin: z.enum(['site', 'central']).optional(),
  /** What the computation says that it is about: of a site's error, often the site. */
  scope: z.string().max(60).optional(),
};

/** A launch that someone asked for while the run was under way: of all its nodes, or of one site's. */
export const Retry = z.strictObject({
  launchId: LaunchId,
  by: z.string(),
  reason: z.string().optional(),
  at: z.number(),
  /** Names the request, so that the same one, sent again, is not taken for another. */
  request: z.string().optional(),
});
export type Retry = z.output<typeof Retry>;

/** Everything known of one node of a run. Times are milliseconds since the epoch. */
export const NodeView = z.strictObject({
  node: NodeName,
  name: z.string(),
  state: NodeState,
  /** When it came into this state. */
  since: z.number(),
  /** Of a site whose node was retried alone: its launch is not that of the run. */
  retry: Retry.optional(),
  runtime: z.enum(['docker', 'process']).optional(),
  /** Container id, or process id with the process runtime. */
  containerId: z.string().max(100).optional(),
  report: NodeReport.optional(),
  /** A failure that is being retried: someone can mend it now. */
  attention: NodeError.optional(),
  error: NodeError.optional(),
  ...HowItEnded,
  outputs: z.array(OutputFile).max(200).optional(),
});
export type NodeView = z.output<typeof NodeView>;

/** A file of the central node's results in the object store. */
export const StoredResult = OutputFile.extend({ key: z.string(), sha256: z.string() });
export type StoredResult = z.output<typeof StoredResult>;

/** Everything known of a run but its nodes. */
export const RunView = z.strictObject({
  runId: RunId,
  launchId: LaunchId.optional(),
  consortium: z.strictObject({ id: ConsortiumId, name: z.string() }),
  computation: z.strictObject({ name: z.string(), version: z.string() }),
  state: RunState,
  since: z.number(),
  startedAt: z.number(),
  startedBy: z.string(),
  /** Of a launch that took over the kits of the one before. */
  retry: Retry.optional(),
  stop: z.strictObject({ by: z.string(), reason: z.string().optional(), at: z.number() }).optional(),
  error: NodeError.optional(),
  results: z.array(StoredResult).max(200).optional(),
  /** Of a run that is complete: the sites that it went on without, as its computation allows, and why. */
  without: z
    .array(z.strictObject({ node: NodeName, state: NodeState, why: z.string().max(4000) }))
    .optional(),
});
export type RunView = z.output<typeof RunView>;

export interface RunSnapshot {
  run: RunView;
  /** The central node first, then the sites in the order of the input. */
  nodes: NodeView[];
}

// ---------------------------------------------------------------- search attributes

export const SEARCH_ATTRIBUTES = {
  MusterConsortium: 'Keyword',
  MusterSite: 'Keyword',
  MusterStatus: 'Keyword',
} as const;

// ---------------------------------------------------------------- signals and queries

/** To RunWorkflow: a node changed state, or needs attention. `report` is in the histories of before only. */
export const StatusSignal = z.strictObject({
  launchId: LaunchId,
  node: NodeName,
  state: NodeState.optional(),
  runtime: z.enum(['docker', 'process']).optional(),
  containerId: z.string().max(100).optional(),
  report: NodeReport.optional(),
  /** `null`: what called for attention is settled. */
  attention: NodeError.nullable().optional(),
  exitCode: z.int().optional(),
  outputs: z.array(OutputFile).max(200).optional(),
});
export type StatusSignal = z.output<typeof StatusSignal>;

/** To RunWorkflow: a node failed for good. `state` says how: it failed, its site refused, or its site fell silent. */
export const ErrorSignal = z.strictObject({
  launchId: LaunchId,
  error: NodeError,
  state: z.enum(['failed', 'refused', 'lost']),
  ...HowItEnded,
});
export type ErrorSignal = z.output<typeof ErrorSignal>;

/** To RunWorkflow from a person; to EdgeRunWorkflow from its run. With a launchId it stops that launch only. */
export const StopSignal = z.strictObject({
  by: z.string().min(1).max(120),
  reason: z.string().max(500).optional(),
  launchId: LaunchId.optional(),
});
export type StopSignal = z.output<typeof StopSignal>;

/**
 * To RunWorkflow from a person, while the run is under way. `launch`: all nodes anew, with the kits that there are.
 * `sites`: the nodes of these sites anew, or of all that are not complete, while the central node goes on.
 */
export const RetrySignal = z.strictObject({
  from: z.enum(['launch', 'sites']),
  sites: z.array(SiteId).max(1000).optional(),
  by: z.string().min(1).max(120),
  reason: z.string().max(500).optional(),
  request: z.string().max(200).optional(),
});
export type RetrySignal = z.output<typeof RetrySignal>;

/** A kit in the object store, where it is sealed. */
export const Kit = z.strictObject({
  node: NodeName,
  key: z.string(),
  /** Of what is in the store; lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes in the store. */
  size: z.int().nonnegative(),
});
export type Kit = z.output<typeof Kit>;

/** Where the central node of a launch is reached by its edges. */
export const FederationEndpoint = z.strictObject({
  host: z.string(),
  ports: z.array(z.int().min(1).max(65535)),
});
export type FederationEndpoint = z.output<typeof FederationEndpoint>;

/** To EdgeRunWorkflow: bring this site's node of this launch up. */
export const EdgeClientStartRun = z.strictObject({
  runId: RunId,
  launchId: LaunchId,
  consortium: z.strictObject({ id: ConsortiumId, name: z.string() }),
  site: Site,
  computation: NodeComputation,
  kit: Kit,
  windows: Windows,
  /** Absent in a run that was under way before it was told. */
  endpoint: FederationEndpoint.optional(),
});
export type EdgeClientStartRun = z.output<typeof EdgeClientStartRun>;

export const statusSignal = defineSignal<[StatusSignal]>('status');
export const errorSignal = defineSignal<[ErrorSignal]>('error');
export const stopSignal = defineSignal<[StopSignal]>('stop');
export const retrySignal = defineSignal<[RetrySignal]>('retry');
export const edgeClientStartRunSignal = defineSignal<[EdgeClientStartRun]>('EdgeClientStartRun');
export const snapshotQuery = defineQuery<RunSnapshot>('snapshot');

/** Workflow type names. */
export const RUN_WORKFLOW = 'RunWorkflow';
export const EDGE_RUN_WORKFLOW = 'EdgeRunWorkflow';
export const RESOLVE_IMAGE_WORKFLOW = 'ResolveImageWorkflow';

// ---------------------------------------------------------------- activities

/** One launch of one run. Inputs of activities are schemas too: to a site they come from outside. */
export const LaunchRef = z.object({ runId: RunId, launchId: LaunchId });
export type LaunchRef = z.output<typeof LaunchRef>;
export const NodeRef = LaunchRef.extend({ node: NodeName });
export type NodeRef = z.output<typeof NodeRef>;

export const ProvisionInput = LaunchRef.extend({
  computation: Computation,
  parameters: Parameters,
  sites: Sites,
});
export type ProvisionInput = z.output<typeof ProvisionInput>;
/** Where a launch lives: the central host that made its kits, and the address its edges connect to. */
export const Provisioned = z.strictObject({
  hostQueue: z.string(),
  endpoint: FederationEndpoint,
});
export type Provisioned = z.output<typeof Provisioned>;

export const PublishInput = LaunchRef.extend({ sites: z.array(SiteId) });
export type PublishInput = z.output<typeof PublishInput>;
export const PublishedKits = z.strictObject({ kits: z.array(Kit) });
export type PublishedKits = z.output<typeof PublishedKits>;

/** The launch of the run that goes on with what `from` has on this host. */
export const TakeOverInput = LaunchRef.extend({ from: LaunchId, computation: NodeComputation });
export type TakeOverInput = z.output<typeof TakeOverInput>;
/** Which sites of the launch get their kits once more, each for a launch of its own. */
export const HandOnInput = LaunchRef.extend({ to: z.array(z.object({ site: SiteId, launchId: LaunchId })) });
export type HandOnInput = z.output<typeof HandOnInput>;

export const LaunchCentralInput = LaunchRef.extend({
  computation: NodeComputation,
  kit: Kit,
  ports: z.array(z.int().min(1).max(65535)),
});
export type LaunchCentralInput = z.output<typeof LaunchCentralInput>;
const ForSite = LaunchRef.extend({
  site: Site,
  computation: NodeComputation,
  /** A central side of an older version does not say it. */
  consortium: EdgeClientStartRun.shape.consortium.optional(),
});
export const FetchInput = ForSite.extend({ kit: Kit });
export type FetchInput = z.output<typeof FetchInput>;
/** `endpoint`: a central side of an older version does not say it. */
export const LaunchEdgeInput = ForSite.extend({ endpoint: FederationEndpoint.optional() });
export type LaunchEdgeInput = z.output<typeof LaunchEdgeInput>;
export const LaunchedNode = z.strictObject({
  runtime: z.enum(['docker', 'process']),
  containerId: z.string().max(100),
  startedAt: z.number(),
});
export type LaunchedNode = z.output<typeof LaunchedNode>;

export const SuperviseInput = NodeRef.extend({ computation: NodeComputation });
export type SuperviseInput = z.output<typeof SuperviseInput>;
/** How a node that succeeded ended: exit code 0 and every declared output. Anything else is thrown. */
export const NodeOutcome = z.strictObject({
  exitCode: z.literal(0),
  endedAt: z.number(),
  outputs: z.array(OutputFile).max(200),
});
export type NodeOutcome = z.output<typeof NodeOutcome>;

export const StopNodeInput = NodeRef.extend({ grace: Duration });
export type StopNodeInput = z.output<typeof StopNodeInput>;
/** A confirmed stop: nothing of the node is running any more. */
export const StoppedNode = z.strictObject({
  /** Whether there was anything to stop. */
  wasRunning: z.boolean(),
  /** Whether the grace period was not enough. */
  forced: z.boolean(),
});
export type StoppedNode = z.output<typeof StoppedNode>;

export const StartedReport = LaunchRef.extend({
  endpoint: Provisioned.shape.endpoint,
  sites: z.array(SiteId),
  at: z.number(),
});
export type StartedReport = z.output<typeof StartedReport>;
/** What RunWorkflow tells the central API: the run, and what it and its nodes went through since it last did. */
export const StatusReport = z.strictObject({
  /** Workflow time; with `seq` it orders reports, also across a reset. */
  at: z.number(),
  seq: z.int(),
  run: RunView,
  /** The run as it was in states that it came into and left again since it last reported. */
  passed: z.array(RunView).max(RUN_STATES.length).optional(),
  /** In the order of time; a node that went through several states is there several times. */
  nodes: z.array(NodeView),
});
export type StatusReport = z.output<typeof StatusReport>;
export const SignalEdgesInput = z.strictObject({ starts: z.array(EdgeClientStartRun) });
export type SignalEdgesInput = z.output<typeof SignalEdgesInput>;
export const ResolveImageInput = z.strictObject({ image: z.string().min(1) });
export type ResolveImageInput = z.output<typeof ResolveImageInput>;

/** Activities that any central worker may do; queue {@link CENTRAL_QUEUE}. */
export interface CentralActivities {
  provisionProject(input: ProvisionInput): Promise<Provisioned>;
  reportRunStartedCentral(report: StartedReport): Promise<void>;
  reportStatusCentral(report: StatusReport): Promise<void>;
  signalEdgeClients(input: SignalEdgesInput): Promise<void>;
  resolveImage(input: ResolveImageInput): Promise<ResolvedImage>;
}
/** Activities on the host that was chosen for a launch; queue {@link hostQueue}. */
export interface HostActivities {
  publishRunKits(input: PublishInput): Promise<PublishedKits>;
  /** Instead of provisioning: the kits and ports of an older launch, whose nodes are ended, become this one's. */
  takeOverLaunch(input: TakeOverInput): Promise<Provisioned>;
  handOnKits(input: HandOnInput): Promise<PublishedKits>;
  launchCentralNode(input: LaunchCentralInput): Promise<LaunchedNode>;
  superviseNode(input: SuperviseInput): Promise<NodeOutcome>;
  stopNode(input: StopNodeInput): Promise<StoppedNode>;
  collectResults(input: NodeRef): Promise<StoredResult[]>;
  /** Removes what a launch holds on this host: containers, folders, ports. */
  releaseLaunch(input: LaunchRef): Promise<void>;
}
/** Activities of one site; queue {@link siteQueue}. */
export interface EdgeActivities {
  fetchRunKit(input: FetchInput): Promise<void>;
  launchEdgeNode(input: LaunchEdgeInput): Promise<LaunchedNode>;
  superviseNode(input: SuperviseInput): Promise<NodeOutcome>;
  stopNode(input: StopNodeInput): Promise<StoppedNode>;
  /** Removes what a launch holds at this site: the container and the kit. Results stay. */
  releaseLaunch(input: LaunchRef): Promise<void>;
}

/** A run under way whose history has grown long: what it goes on from in a new one. Its nodes know nothing of it. */
export const CarriedRun = z.strictObject({
  launchId: LaunchId,
  placement: z
    .strictObject({ hostQueue: z.string(), ports: z.array(z.int()), host: z.string().optional() })
    .optional(),
  /** The sites that were told to start, and those nodes that are still to confirm that they are down. */
  signalled: z.array(SiteId),
  givenUp: z.array(NodeName),
  run: RunView,
  nodes: z.array(NodeView),
  /** When every site has to be up, and every node to have ended: workflow time. */
  upBy: z.number(),
  endBy: z.number().optional(),
  /** Number of the last report. */
  seq: z.int(),
});
export type CarriedRun = z.output<typeof CarriedRun>;

/** How a run that did not fail ended; a failed run is a failed workflow. */
export interface RunResult {
  runId: string;
  launchId: string;
  status: 'complete' | 'stopped';
  results: StoredResult[];
}
