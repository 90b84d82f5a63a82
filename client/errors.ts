/**
 * The two ways in which a call to the central API fails: it refused (ApiProblem), or no useful answer came at all
 * (ApiUnreachable). Each message is one line and ends with what to do.
 */
import type { ReadProblem } from '../workflows/problem-contract';

/** The central API answered with an error. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    call: string,
    readonly problem?: ReadProblem,
  ) {
    super(
      oneLine(
        `The central API refused ${call} (${status}): ${describe(status, problem)}${advice(status, problem)}`,
      ),
    );
    this.name = 'ApiProblem';
  }
}

/** Whether the central API refused for the reason that it names `kind`. */
export const isProblem = (error: unknown, kind: string): error is ApiProblem =>
  error instanceof ApiProblem && error.problem?.type === `urn:muster:problem:${kind}`;

/** No answer, or one that the central API would not give: trying again later may help. */
export class ApiUnreachable extends Error {
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(
      oneLine(`No answer from the central API at ${url}: ${reason}. Check that it runs there and try again.`),
      options,
    );
    this.name = 'ApiUnreachable';
  }
}

/** Whether the same call may succeed later without anyone changing it. */
export function mayPass(error: unknown): error is ApiProblem | ApiUnreachable {
  if (error instanceof ApiProblem) return error.status === 429 || error.status >= 500;
  return error instanceof ApiUnreachable;
}

function describe(status: number, problem: ReadProblem | undefined): string {
  if (problem === undefined) return `it gave no reason for status ${status}.`;
  const { title, detail = '', errors = [] } = problem;
  const places = errors.map((error) => `${error.pointer || '/'} ${error.detail}`);
  const parts = [title, detail, places.filter((place) => !detail.includes(place)).join('; ')];
  const said = [...new Set(parts)].filter((part) => part !== '').map((part) => part.replace(/\.\s*$/, ''));
  return `${said.join(': ')}.`;
}

function advice(status: number, problem: ReadProblem | undefined): string {
  if (SAYS_WHAT_TO_DO.test(problem?.type ?? '')) return '';
  if (status === 401) return ' Use a valid access token.';
  if (status === 403) return ' Use a token whose role may do this.';
  if (status === 429) return ' Wait a moment and try again.';
  if (status >= 500) return " Look at the API's log and try again.";
  return '';
}

/** Problems of those who have no token. */
const SAYS_WHAT_TO_DO = /^urn:muster:problem:(certificate-|invalid-code$)/;

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** What a failed `fetch` says of its cause, in a few words. Its innermost cause is the one that helps. */
export function networkReason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0)
    return networkReason(error.errors[0]);
  if ('cause' in error && error.cause !== undefined) return networkReason(error.cause);
  if ('message' in error && error.message !== '') return String(error.message);
  return 'code' in error ? String(error.code) : 'unknown reason';
}
