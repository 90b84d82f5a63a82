/** How a call of the API can fail, in words for people. */
import type { z } from 'zod';
import { Problem } from '../../workflows/api-contract';

/** The API answered that it will not do it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(describe(status, problem));
    this.name = 'ApiError';
  }

  /** Whether asking the same again may be answered differently. */
  get mayPass(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('The central API does not answer. Check that it is running and that this computer can reach it.', {
      cause,
    });
    this.name = 'Unreachable';
  }
}

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

/** The problem that `value` is, if it is one. */
export const problemIn = (value: unknown): Problem | undefined => Problem.safeParse(value).data;

/** What an error says to people. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function describe(status: number, problem: Problem | undefined): string {
  if (status === 403) return problem?.detail ?? 'You may not do this.';
  if (problem === undefined) return `The API answered with status ${status} and gave no reason.`;
  const places = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`);
  return [problem.detail ?? problem.title, ...places].join('\n');
}
