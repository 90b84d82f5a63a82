/** The errors that a caller gets to see, as RFC 9457 problems. One list, so that a client can tell them apart by `type`. */
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import type { Problem } from '../workflows/api-contract';

const KINDS = {
  'invalid-request': [400, 'The request is not of the agreed form'],
  unauthenticated: [401, 'A valid access token is needed'],
  forbidden: [403, 'The access token does not allow this'],
  'certificate-needed': [403, 'The certificate of a site is needed'],
  'certificate-refused': [403, 'The certificate cannot be used'],
  'certificate-expired': [403, 'The certificate has expired'],
  'certificate-revoked': [403, 'The certificate was revoked'],
  'invalid-code': [403, 'The enrolment code is not valid'],
  'invalid-invitation': [403, 'The invitation is not valid'],
  'password-change-needed': [403, 'A new password has to be chosen first'],
  'unknown-consortium': [404, 'Unknown consortium'],
  'unknown-computation': [404, 'Unknown computation'],
  'unknown-run': [404, 'Unknown run'],
  'unknown-result': [404, 'Unknown result'],
  'unknown-kit': [404, 'Unknown kit'],
  'unknown-node': [404, 'Unknown node'],
  'unknown-site': [404, 'Unknown site'],
  'unknown-ask': [404, 'The site does not ask that'],
  'unknown-notice': [404, 'Unknown notice'],
  'no-provider': [404, 'There is no OpenID provider'],
  'unknown-person': [404, 'Unknown person'],
  'unknown-session': [404, 'Unknown session'],
  'unknown-token': [404, 'Unknown token'],
  'unknown-invitation': [404, 'Unknown invitation'],
  'unknown-membership': [404, 'The site is not invited'],
  'no-log': [404, 'There is no log here'],
  'method-not-allowed': [405, 'Method not allowed'],
  'account-exists': [409, 'There is an account already'],
  'last-admin': [409, 'Nobody else is an admin'],
  'last-lead': [409, 'Nobody else leads the consortium'],
  'computation-exists': [409, 'The version is registered already'],
  'computation-in-use': [409, 'The computation is in use'],
  'consortium-exists': [409, 'The id is taken'],
  'consortium-archived': [409, 'The consortium is archived'],
  'consortium-incomplete': [409, 'Something is missing for a run'],
  'answered-at-site': [409, 'It is answered at the site'],
  'already-answered': [409, 'It was answered already'],
  'membership-impossible': [409, 'The site cannot be in the consortium in this way'],
  'run-complete': [409, 'The run is complete'],
  'run-not-begun': [409, 'The run ended before it began'],
  'retry-impossible': [409, 'The run cannot be retried in this way now'],
  'run-ended': [409, 'The run has ended'],
  'run-differs': [409, 'The run was started as another one'],
  'kits-differ': [409, 'The launch has other kits'],
  'launch-superseded': [409, 'The launch is no longer the current one'],
  'no-enrolment': [409, 'No site can join here'],
  'too-many-notices': [409, 'There are too many notices'],
  'code-used': [410, 'The enrolment code was used before'],
  'code-expired': [410, 'The enrolment code has expired'],
  'changed-meanwhile': [412, 'It was changed meanwhile'],
  'invalid-certificate-request': [422, 'The certificate request cannot be used'],
  'invalid-computation': [422, 'The computation cannot be used'],
  'image-unavailable': [422, 'The image cannot be had'],
  'invalid-log': [422, 'The part of a log cannot be used'],
  'unreadable-payload': [422, 'The payload cannot be opened'],
  'invalid-parameters': [422, 'The parameters do not fit the computation'],
  'idempotency-key-reused': [422, 'The Idempotency-Key belongs to another request'],
  'precondition-needed': [428, 'It has to be said what is changed'],
  'too-many-requests': [429, 'Too many requests'],
  'temporal-refused': [502, 'Temporal refused the request'],
  'temporal-unreachable': [503, 'Temporal cannot be reached'],
  'provider-unreachable': [503, 'The OpenID provider cannot be reached'],
  'database-unreachable': [503, 'The database cannot be reached'],
  'object-store-unreachable': [503, 'The object store cannot be reached'],
  'run-unreported': [503, 'The run has not reported yet'],
  'image-pending': [503, 'The image is still being pulled'],
  'key-missing': [503, 'A key is missing'],
  'no-central-worker': [503, 'No central worker answers'],
  'not-ready': [503, 'Not ready'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemKind = keyof typeof KINDS;
const typeOf = (kind: string) => `urn:muster:problem:${kind}`;
/** What `type` can be; `about:blank` where the status says it all. */
export const PROBLEM_TYPES: readonly string[] = ['about:blank', ...Object.keys(KINDS).map(typeOf)];
/** Where a request was wrong. */
export type Place = NonNullable<Problem['errors']>[number];

/** Thrown anywhere while a request is served; it becomes the response. */
export class HttpProblem extends Error {
  readonly body: Problem;

  constructor(kind: ProblemKind, detail: string, errors?: Place[]) {
    super(detail);
    this.name = 'HttpProblem';
    const [status, title] = KINDS[kind];
    this.body = { type: typeOf(kind), title, status, detail, ...(errors && { errors }) };
  }
}

/** A problem that is no more than its HTTP status and a sentence. */
export function plainProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** A JSON pointer (RFC 6901). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

const PARTS: Readonly<Record<string, string>> = {
  body: 'The body',
  params: 'The path',
  querystring: 'The query',
  headers: 'A header',
};

/** The problem of a part of a request that does not fit its schema. */
export function invalidRequest(part: string, error: z.core.$ZodError): HttpProblem {
  const places = error.issues.flatMap(placesOf);
  const summary = places.map(({ pointer, detail }) => `${pointer || '/'} ${detail}`).join('; ');
  return new HttpProblem('invalid-request', `${PARTS[part] ?? 'The request'} is wrong: ${summary}`, places);
}

function placesOf(issue: z.core.$ZodIssue): Place[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: jsonPointer([...issue.path, key]),
      detail: 'is not known here',
    }));
  return [{ pointer: jsonPointer(issue.path), detail: issue.message }];
}
