/**
 * The one list of failure types: what has happened, whether trying again can help, and what the person who sees it should
 * do. docs/errors.md is made from it.
 */
import { ApplicationFailure } from '@temporalio/common';

interface FailureKind {
  /** What has happened. */
  cause: string;
  /** Whether the same attempt may succeed later, by itself or because someone mended something. */
  retryable: boolean;
  /** Whose turn it is. */
  turn: Turn;
  /** What they should do. */
  advice: string;
}

/**
 * `host`: whoever looks after the machine that the error names, a site's or the central one. `site`: whoever decides there
 * what may run.
 */
export const TURNS = {
  lead: "the consortium's lead",
  host: "the host's administrator",
  site: "the site's administrator",
  operator: 'the operator of Muster',
  author: "the computation's author",
} as const;
export type Turn = keyof typeof TURNS;

export const FAILURES = {
  InvalidRunInput: {
    cause:
      'A run or one of its steps was given something that is not of the agreed form, mostly by hand or by another version.',
    retryable: false,
    turn: 'lead',
    advice: 'Correct the run input and start a new run.',
  },
  ProvisionFailed: {
    cause: "The computation's provision command exited with an error, or did not make a kit for everyone.",
    retryable: false,
    turn: 'author',
    advice: "Read the computation's provisioning output; check the parameters.",
  },
  KitBroken: {
    cause:
      'A kit is not what was published: another digest, size or key, or a zip that would write where it must not.',
    retryable: false,
    turn: 'operator',
    advice: 'The kit is not what was published: start the run again; check the object store.',
  },
  ManifestRefused: {
    cause:
      "The centre's signed word on the launch is missing, not signed by it, expired, or about something else than the site was asked for.",
    retryable: false,
    turn: 'operator',
    advice:
      'The message says what differs: see who can change runs in Temporal, and what the clock of the site says.',
  },
  KitUnavailable: {
    cause: 'The site did not get its kit: the central API or the object store did not answer.',
    retryable: true,
    turn: 'host',
    advice: 'Check that the site reaches the central API and the object store.',
  },
  ComputationNotAllowed: {
    cause:
      "The host's own file does not allow the run: the computation, this version or image of it, or its consortium.",
    retryable: true,
    turn: 'host',
    advice:
      "The host's policy does not allow this computation: its administrator allows it there, or leaves it at that.",
  },
  ApprovalNeeded: {
    cause: 'The site lets nothing run that a person of it has not approved, and nobody has yet.',
    retryable: true,
    turn: 'site',
    advice:
      'At the site: `muster site approvals`, then `muster site approve RUN` or `muster site refuse RUN`; or on the page of the site, where its file says `approval: page`.',
  },
  RunRefused: {
    cause: 'A person at the site refused this run.',
    retryable: false,
    turn: 'lead',
    advice: 'Speak with the site: the message says who refused it, and why.',
  },
  SiteClosed: {
    cause: 'Nothing new starts at the site for now: it is being maintained, or these are its quiet hours.',
    retryable: true,
    turn: 'site',
    advice: 'Wait: the run goes on when the site is open again. Its `deadlines.start` is how long it can.',
  },
  DataMissing: {
    cause:
      "The site maps no folder to the consortium's dataset, or the folder is not there or cannot be read.",
    retryable: true,
    turn: 'host',
    advice: 'The site administrator maps the dataset to an existing folder in site.yaml.',
  },
  EngineUnavailable: {
    cause: 'The container engine of the host does not answer.',
    retryable: true,
    turn: 'host',
    advice: 'Start the container engine on that host.',
  },
  ImageMissing: {
    cause: 'The image is not on the host and cannot be pulled or built there.',
    retryable: true,
    turn: 'host',
    advice: 'Pull or build the computation image on that host.',
  },
  PortsExhausted: {
    cause: 'The central host has no port left in its range that nobody uses.',
    retryable: true,
    turn: 'operator',
    advice: 'Wait for another run to end, or widen the central port range.',
  },
  DiskFull: {
    cause: 'The disk of the host is full.',
    retryable: true,
    turn: 'host',
    advice: 'Make room on that host.',
  },
  NodeNotStarted: {
    cause: 'The engine or the operating system refused to start the node.',
    retryable: true,
    turn: 'host',
    advice: 'Mend on that host what the message names: a taken port, a missing folder or device.',
  },
  ReachNotBounded: {
    cause:
      'The site lets its nodes reach the federation endpoint and nothing else, and cannot hold this node to that.',
    retryable: true,
    turn: 'site',
    advice:
      'Mend what the message names, or let nodes of the site reach anything: `containers.reach: any` in site.yaml.',
  },
  NodeExited: {
    cause: 'The node ended with another exit code than 0, or was killed.',
    retryable: false,
    turn: 'author',
    advice: "Read the node's last log lines.",
  },
  OutputsMissing: {
    cause: 'The node ended with exit code 0, but what its computation declares is not in its output folder.',
    retryable: false,
    turn: 'author',
    advice: 'The node ended without its declared outputs: read its last log lines.',
  },
  NodeError: {
    cause: 'The computation reported a failure in its own words.',
    retryable: false,
    turn: 'author',
    advice: 'Mend what its message names, in the data or in the computation, and retry.',
  },
  NodeLost: {
    cause: 'The node is gone, and how it ended is not known.',
    retryable: false,
    turn: 'host',
    advice: 'The node vanished without an exit code: look at the host and its container engine.',
  },
  SiteSilent: {
    cause: "The site's edge worker did not take or finish a step in time.",
    retryable: false,
    turn: 'host',
    advice: 'Check that the edge worker of the site is running and connected.',
  },
  SiteAway: {
    cause: "The site's edge worker is not heard of. Its node may go on running all the same.",
    retryable: true,
    turn: 'host',
    advice: 'Start the edge worker of the site, or its network: the run goes on when it is back.',
  },
  DeadlineExceeded: {
    cause: "A phase took longer than the computation's manifest allows.",
    retryable: false,
    turn: 'lead',
    advice: 'The phase took longer than the computation allows: see its deadlines.',
  },
  StopUnconfirmed: {
    cause: 'A node was told to stop, and its host has not confirmed in time that it did.',
    retryable: false,
    turn: 'host',
    advice: 'The site did not confirm the stop: check its edge worker and containers.',
  },
  TooFewSites: {
    cause: 'So many sites have failed that fewer are left than the computation needs.',
    retryable: false,
    turn: 'lead',
    advice: 'Fewer sites completed than the computation requires.',
  },
  NoticeNotDelivered: {
    cause: 'A receiver of notices did not take one, or the mail server did not.',
    retryable: true,
    turn: 'lead',
    advice:
      "The consortium's notices say what the receiver answered: correct its address, or mend the receiver.",
  },
  RunFailed: {
    cause:
      "The run as a whole has failed: the failure of the workflow in Temporal, with every node's error in its details.",
    retryable: false,
    turn: 'lead',
    advice: 'Each node’s error is in the details.',
  },
  Internal: {
    cause: 'Something that is not foreseen: a defect, or a part that answered as it never should.',
    retryable: true,
    turn: 'operator',
    advice: 'Look at the worker log for the stack trace.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureType = keyof typeof FAILURES;

/** Whether `type` is one of {@link FAILURES}. */
export function isFailureType(type: string): type is FailureType {
  return Object.hasOwn(FAILURES, type);
}

/**
 * Whether a failure of this type is a site that lets a run wait, and not one that something is amiss at. It is for the site
 * to say how long that takes, within the computation's `deadlines.start`: the consortium's `windows.retry`, which is for
 * what has to be mended, does not cut it.
 */
export function isWait(type: string | null | undefined): boolean {
  return type === 'ApprovalNeeded' || type === 'SiteClosed';
}

/** A failure of a listed type, with its retryability. `details` must hold neither secrets nor data of patients. */
export function failure(type: FailureType, message: string, ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: !FAILURES[type].retryable, details });
}

/** Whose turn it is after a failure of this type, in words. */
export function turnOf(type: string): string {
  return TURNS[isFailureType(type) ? FAILURES[type].turn : 'operator'];
}
