/** The errors that a caller gets to see, as RFC 9457 problems. One list, so that a client can tell them apart by `type`. */
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import type { Problem } from '../workflows/api-contract';
import { KINDS, PROBLEM_KINDS, type ProblemKind } from './problem-kinds';

/** The `type` of a problem of this kind. */
export const typeOf = (kind: ProblemKind) => `urn:muster:problem:${kind}`;
/** What `type` can be; `about:blank` where the status says it all. */
export const PROBLEM_TYPES: readonly string[] = ['about:blank', ...PROBLEM_KINDS.map(typeOf)];
/** Where a request was wrong. */
export type Place = NonNullable<Problem['errors']>[number];

/** Thrown anywhere while a request is served; it becomes the response. */
export class HttpProblem extends Error {
  readonly body: Problem;

  constructor(kind: ProblemKind, detail: string, errors?: Place[]) {
    super(detail);
    this.name = 'HttpProblem';
    const { status, title } = KINDS[kind];
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
