/** How a call of the API can fail, in words for people. */
import { ZodError, type z } from 'zod';
import { ApiProblem, ApiUnreachable } from '../../client/errors';
import type { Problem } from '../../workflows/problem-contract';

/** The answer is not of the version of the API that this page was made for. */
export class UnknownShape extends Error {
  constructor(what: string) {
    super(
      `The API sent ${what} that this page does not understand. Reload the page to get its newest version.`,
    );
    this.name = 'UnknownShape';
  }
}

/** `value`, which is to be what `schema` says; `what` names it where it is not. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  what: string,
  value: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new UnknownShape(what);
  return parsed.data;
}

/** Whether asking the same again may be answered differently. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.status >= 500 || error.status === 408 || error.status === 429;
  return error instanceof ApiUnreachable && !isUnknown(error);
}

const isUnknown = ({ cause }: ApiUnreachable) => cause instanceof ZodError;

/** Whether what was asked for is not there. */
export const isGone = (error: unknown): boolean => error instanceof ApiProblem && error.status === 404;

/** Whether it is there, and not for who asked. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiProblem && error.status === 403;

/** What an error says to people. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiProblem) return describe(error.status, error.problem);
  if (error instanceof ApiUnreachable) {
    if (isUnknown(error)) return new UnknownShape('an answer').message;
    return 'The central API does not answer. Check that it is running and that this computer can reach it.';
  }
  return error instanceof Error ? error.message : String(error);
}

function describe(status: number, problem: Problem | undefined): string {
  if (status === 403) return problem?.detail ?? 'You may not do this.';
  if (problem === undefined) return `The API answered with status ${status} and gave no reason.`;
  const places = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`);
  return [problem.detail ?? problem.title, ...places].join('\n');
}
