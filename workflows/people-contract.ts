/** The central API's payloads about people: who they are, what they may do, and how they show who they are. */
import { z } from 'zod';
import { ConsortiumId, SiteId } from './contract';

/**
 * What a person may do in one consortium. A viewer sees it, its runs and what failed; a member also logs and results; a lead
 * starts, stops and retries, and changes it. Who may do more may do the less.
 */
export const CONSORTIUM_ROLES = ['viewer', 'member', 'lead'] as const;
export const ConsortiumRole = z.enum(CONSORTIUM_ROLES);
export type ConsortiumRole = z.output<typeof ConsortiumRole>;

/** What a personal token may be used for: to look, also to start, stop and retry runs, or for all that its owner may do. */
export const SCOPES = ['read', 'run', 'all'] as const;
export const Scope = z.enum(SCOPES);
export type Scope = z.output<typeof Scope>;

/** What a person may do where, beside what anybody may who has signed in. */
export const Grants = z.strictObject({
  admin: z.boolean().default(false).describe('Whether they may do everything.'),
  consortia: z.record(ConsortiumId, ConsortiumRole).default({}),
  sites: z.array(SiteId).max(1000).default([]).describe('The sites that they administer.'),
});
export type Grants = z.output<typeof Grants>;
