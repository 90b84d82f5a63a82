/** Parts of route schemas that many routes share. */
import { z } from 'zod';
import { Problem } from '../../workflows/api-contract';
import { RunId } from '../../workflows/contract';
import { PROBLEM_TYPES } from '../problem';

/** A problem as this version of the API has them; who reads one may meet others. */
export const KnownProblem = Problem.extend({ type: z.enum(PROBLEM_TYPES) });

/** An answer without a body. */
export const nothing = z.undefined().describe('Done.');

export const RunPath = z.object({ runId: RunId });

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible characters')
  .meta({ examples: ['nightly-2026-11-28'] })
  .describe('A request that is sent again with the same key does nothing more than the first.');

/** A choice in a query. */
export const YesNo = z.enum(['true', 'false']).transform((text) => text === 'true');
