/**
 * The one list of failure types. A type says three things: whether trying again can help, how a site's state is to
 * read, and what the person who sees it should do.
 */
import { ApplicationFailure } from '@temporalio/common';

interface FailureKind {
  /** Whether the same attempt may succeed later, by itself or because someone mended something. */
  retryable: boolean;
  /** Whose turn it is and what to do. */
  advice: string;
}

export const FAILURES = {
  InvalidRunInput: { retryable: false, advice: 'Correct the run input and start a new run.' },
  ProvisionFailed: {
    retryable: false,
    advice: "Read the computation's provisioning output; check the parameters.",
  },
  KitBroken: {
    retryable: false,
    advice: 'The kit is not what was published: start the run again; check the object store.',
  },
  KitUnavailable: {
    retryable: true,
    advice: 'Check that the site reaches the central API and the object store.',
  },
  ComputationNotAllowed: {
    retryable: false,
    advice: "The site's policy does not allow this computation: its administrator decides.",
  },
  DataMissing: {
    retryable: true,
    advice: 'The site administrator maps the dataset to an existing folder in site.yaml.',
  },
  EngineUnavailable: { retryable: true, advice: 'Start the container engine on that host.' },
  ImageMissing: { retryable: true, advice: 'Pull or build the computation image on that host.' },
  PortsExhausted: {
    retryable: true,
    advice: 'Wait for another run to end, or widen the central port range.',
  },
  NodeNotStarted: {
    retryable: true,
    advice: 'Mend on that host what the message names: a taken port, a missing folder or device.',
  },
  NodeExited: { retryable: false, advice: "Read the node's last log lines." },
  OutputsMissing: {
    retryable: false,
    advice: 'The node ended without its declared outputs: read its last log lines.',
  },
  NodeError: { retryable: false, advice: 'The computation reported this error itself.' },
  NodeLost: {
    retryable: false,
    advice: 'The node vanished without an exit code: look at the host and its container engine.',
  },
  SiteSilent: {
    retryable: false,
    advice: 'Check that the edge worker of the site is running and connected.',
  },
  DeadlineExceeded: {
    retryable: false,
    advice: 'The phase took longer than the computation allows: see its deadlines.',
  },
  StopUnconfirmed: {
    retryable: false,
    advice: 'The site did not confirm the stop: check its edge worker and containers.',
  },
  TooFewSites: { retryable: false, advice: 'Fewer sites completed than the computation requires.' },
  RunFailed: { retryable: false, advice: 'Each node’s error is in the details.' },
  Internal: { retryable: true, advice: 'Look at the worker log for the stack trace.' },
} as const satisfies Record<string, FailureKind>;

export type FailureType = keyof typeof FAILURES;

/** Whether `type` is one of {@link FAILURES}. */
export function isFailureType(type: string): type is FailureType {
  return Object.hasOwn(FAILURES, type);
}

/** A failure of a listed type, with its retryability. `details` must hold neither secrets nor data of patients. */
export function failure(type: FailureType, message: string, ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: !FAILURES[type].retryable, details });
}
