/** What every refusal of the central API looks like. Apart from the rest of the contract, for a page needs no more of it. */
// By its parts, of which a page gets only those that are used.
import * as z from 'zod';

/** RFC 9457 problem, the body of every error response. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  /** Where the request was wrong, by JSON pointer. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
export type Problem = z.output<typeof Problem>;

/** Of each part that the API works with, whether it answers. It is ready without a central worker: runs wait for one. */
export const HealthChecks = z.object({
  database: z.enum(['ok', 'failed']),
  temporal: z.enum(['ok', 'failed']),
  objectStore: z.enum(['ok', 'failed']),
  centralWorker: z.enum(['ok', 'failed']),
});
export type HealthChecks = z.output<typeof HealthChecks>;

/** A problem as it is read, with what some say beside: the one of an API that is not ready, which parts answer. */
export const ReadProblem = Problem.extend({ checks: HealthChecks.optional().catch(undefined) });
export type ReadProblem = z.output<typeof ReadProblem>;
