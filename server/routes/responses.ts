/** Parts of route schemas that many routes share. */
import { z } from 'zod';
import { Problem } from '../../workflows/api-contract';
import { RunId } from '../../workflows/contract';

/** What any route may answer when it does not do as asked. */
export const problems = {
  '4xx': {
    description: 'The request was refused; `type` says why, `errors` where.',
    content: { 'application/problem+json': { schema: Problem } },
  },
  '5xx': {
    description: 'The API, or something that it needs, does not work.',
    content: { 'application/problem+json': { schema: Problem } },
  },
};

/** An answer without a body. */
export const nothing = z.undefined().describe('Done.');

export const RunPath = z.object({ runId: RunId });

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible characters')
  .describe('A request that is sent again with the same key does nothing more than the first.');
