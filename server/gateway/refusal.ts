/** How a call through the gateway ends without an answer from Temporal. */
import { status } from '@grpc/grpc-js';

/** A call ends with this status; the text is for the site's log. */
export class CallFailure extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
    this.name = 'CallFailure';
  }
}

/** What the gateway counts refusals by: a closed list, so that a site cannot make the counters grow. */
export type RefusalReason =
  | 'unknown-call'
  | 'not-grpc'
  | 'malformed'
  | 'other-namespace'
  | 'other-queue'
  | 'task-token'
  | 'too-large'
  | 'too-slow'
  | 'too-many-calls'
  | 'too-many-polls'
  | 'too-many-connections'
  | 'too-many-pings'
  | 'no-site'
  | 'not-admitted';

/** The site asked for what it may not have. */
export class Refusal extends CallFailure {
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(CODES[reason], message);
    this.name = 'Refusal';
  }
}

const CODES: Readonly<Record<RefusalReason, status>> = {
  'unknown-call': status.UNIMPLEMENTED,
  'not-grpc': status.UNIMPLEMENTED,
  malformed: status.INVALID_ARGUMENT,
  'other-namespace': status.PERMISSION_DENIED,
  'other-queue': status.PERMISSION_DENIED,
  'task-token': status.PERMISSION_DENIED,
  'too-large': status.RESOURCE_EXHAUSTED,
  'too-slow': status.DEADLINE_EXCEEDED,
  'too-many-calls': status.RESOURCE_EXHAUSTED,
  'too-many-polls': status.RESOURCE_EXHAUSTED,
  'too-many-connections': status.RESOURCE_EXHAUSTED,
  'too-many-pings': status.RESOURCE_EXHAUSTED,
  'no-site': status.UNAUTHENTICATED,
  'not-admitted': status.PERMISSION_DENIED,
};
