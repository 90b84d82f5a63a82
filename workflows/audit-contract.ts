/** The central API's payloads about what was done, and by whom. */
import { z } from 'zod';

export const AuditEntry = z.object({
  id: z.int(),
  at: z.number(),
  /** Such as `run.start`. */
  action: z.string(),
  /** Who did it: as they were called then. */
  by: z.string(),
  personId: z.string().optional(),
  via: z
    .string()
    .describe(
      "What they showed: a `session`, a `token` of their own, an `operator`'s token; or nothing yet.",
    ),
  address: z.string().describe('From where.'),
  consortiumId: z.string().optional(),
  siteId: z.string().optional(),
  runId: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional().describe('What of it changed; no secret is among it.'),
});
export type AuditEntry = z.output<typeof AuditEntry>;
export const AuditPage = z.object({
  entries: z.array(AuditEntry),
  next: z.int().optional().describe('There are older ones: what to give as `after` for them.'),
});
