/** The central API's payloads about consortia and the sites in them: who was invited, what they said, and who is ready. */
import { z } from 'zod';
import {
  ComputationRef,
  ConsortiumId,
  NodeComputation,
  Parameters,
  RunId,
  Site,
  SiteId,
  Windows,
} from './contract';

// ---------------------------------------------------------------- sites in a consortium

/** `accepted` ones take part in runs. `left`: the site went; `removed`: the consortium let it go. */
export const MembershipState = z.enum(['invited', 'accepted', 'declined', 'left', 'removed']);
export type MembershipState = z.output<typeof MembershipState>;

/** Why, for the others to read. */
const Reason = z.string().trim().min(1).max(500);

export const Membership = z.object({
  siteId: SiteId,
  /** As the consortium calls it. */
  name: Site.shape.name,
  state: MembershipState,
  dataset: Site.shape.dataset
    .optional()
    .describe('What the site calls the data that it brings: a name out of its own file, no path.'),
  invitedBy: z.string(),
  invitedAt: z.number(),
  /** Who said last what the state is, and when; absent while the invitation is open. */
  answeredBy: z.string().optional(),
  answeredAt: z.number().optional(),
  reason: Reason.optional(),
});
export type Membership = z.output<typeof Membership>;

export const InviteSiteBody = z.strictObject({
  siteId: SiteId,
  name: Site.shape.name.optional().describe('What the consortium calls it. Absent: its id.'),
});
export const AnswerInvitationBody = z.discriminatedUnion('accept', [
  z.strictObject({
    accept: z.literal(true),
    dataset: Site.shape.dataset.describe(
      'The name under which site.yaml maps the data for this consortium. No path: those stay at the site.',
    ),
    name: Site.shape.name.optional(),
  }),
  z.strictObject({ accept: z.literal(false), reason: Reason.optional() }),
]);
export type AnswerInvitationBody = z.output<typeof AnswerInvitationBody>;

// ---------------------------------------------------------------- consortia that people make

const Name = z.string().trim().min(1).max(120);
export const Description = z.string().max(4_000).describe('What it is about, for people.');

export const CreateConsortiumBody = z.strictObject({
  id: ConsortiumId.optional().describe('Absent: made of the name. An id is never given twice.'),
  name: Name,
  description: Description.optional(),
  computation: ComputationRef.optional(),
  parameters: Parameters.optional(),
  windows: Windows.prefault({}),
});
export type CreateConsortiumBody = z.output<typeof CreateConsortiumBody>;

export const PatchConsortiumBody = z.strictObject({
  name: Name.optional(),
  description: Description.nullish().describe('`null` takes it away.'),
  computation: ComputationRef.nullish().describe(
    '`null` takes it away, with the parameters. Another version keeps the parameters that there are; another computation none.',
  ),
  parameters: Parameters.optional().describe(
    'In place of those that there are, except for secret ones that are left out: these stay, and `null` takes one away.',
  ),
  windows: Windows.optional(),
  archived: z.boolean().optional(),
});
export type PatchConsortiumBody = z.output<typeof PatchConsortiumBody>;

/** One thing that somebody did to a consortium. */
export const ConsortiumChange = z.object({
  id: z.int(),
  at: z.number(),
  by: z.string(),
  /** Such as `consortium.change`. */
  action: z.string(),
  /** What was done, as a sentence. */
  says: z.string(),
  /** What of it changed, by name; of a secret no more than that. */
  fields: z.array(z.string()),
  siteId: z.string().optional(),
});
export type ConsortiumChange = z.output<typeof ConsortiumChange>;
export const ConsortiumChanges = z.object({
  changes: z.array(ConsortiumChange),
  next: z.int().optional().describe('There are older ones: what to give as `after` for them.'),
});

// ---------------------------------------------------------------- what a site says of itself

/** A sentence of a site's. */
const Says = z.string().min(1).max(1_000);
const MAX_CONSORTIA = 200;
const MAX_ASKS = 100;

/** Names a request that a run has made at a site; see activities/edge/approvals.ts. */
export const AskId = z.string().regex(/^[0-9a-f]{64}$/, 'is not the id of a request');

/** A run that waits for a person at the site. Where the data is stays there. */
export const Ask = z.strictObject({
  id: AskId,
  runId: RunId,
  since: z.number(),
  consortium: z.strictObject({ id: z.string(), name: z.string() }).optional(),
  computation: z.strictObject({
    name: z.string(),
    version: z.string(),
    image: z.string().optional(),
    command: z.array(z.string()),
    signer: z.string().optional(),
  }),
  dataset: z.string(),
  /** What it would get, and what would leave the site. */
  gets: Says,
});
export type Ask = z.output<typeof Ask>;

/** What somebody says, on the page, of a request that a run has made at a site. */
export const AnswerAskBody = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.literal('approved') }),
  z.strictObject({ verdict: z.literal('refused'), why: Reason.describe('The consortium reads it.') }),
]);
export type AnswerAskBody = z.output<typeof AnswerAskBody>;

/** What was said of a request on the page, and has not been taken by the site yet. */
export const AskAnswer = z.object({
  verdict: z.enum(['approved', 'refused']),
  why: z.string().max(500).optional(),
  by: z.string().max(500).describe('Who said so.'),
  at: z.number(),
});
export type AskAnswer = z.output<typeof AskAnswer>;

/** The answers that a site has not taken yet. */
export const SiteAnswers = z.object({
  answers: z.array(AskAnswer.extend({ askId: AskId })).max(1_000),
});
export type SiteAnswers = z.output<typeof SiteAnswers>;

/** What a site's file says of runs as a whole. */
export const SitePolicy = z.strictObject({
  says: z.array(Says).max(100),
  /** `page`: who administers the site may answer on the page, too. */
  approval: z.enum(['auto', 'ask', 'page']),
  /** Nothing new starts there now. */
  closed: z
    .strictObject({
      rule: z.enum(['maintenance', 'quietHours']),
      says: Says,
      until: z.number().optional(),
    })
    .optional(),
});
export type SitePolicy = z.output<typeof SitePolicy>;

/** How a site judges what a consortium would run there, by the very code that decides about a run. */
export const Judgement = z.strictObject({
  consortiumId: ConsortiumId,
  /** What it is about: it says nothing of another. */
  computation: ComputationRef,
  dataset: Site.shape.dataset,
  verdict: z.enum(['allowed', 'needs-approval', 'refused']),
  why: Says.optional(),
  /** `unknown`: no container engine answers there. */
  image: z.enum(['here', 'to-be-pulled', 'not-needed', 'unknown']),
  data: z.enum(['present', 'missing']),
  dataWhy: Says.optional(),
});
export type Judgement = z.output<typeof Judgement>;

/** What an edge worker says of its site whenever that is something else than before. */
export const ReadinessBody = z.strictObject({
  /** Of the worker, as in what it says of its presence. */
  version: z.string().min(1).max(60),
  policy: SitePolicy,
  judgements: z.array(Judgement).max(MAX_CONSORTIA),
  asks: z.array(Ask).max(MAX_ASKS),
});
export type ReadinessBody = z.output<typeof ReadinessBody>;
export const MOST_TOLD = { judgements: MAX_CONSORTIA, asks: MAX_ASKS } as const;

/** What there is for a site to judge: the consortia that it takes part in, and what they would run there. */
export const SiteMemberships = z.object({
  memberships: z.array(
    z.object({
      consortium: z.object({ id: ConsortiumId, name: z.string() }),
      dataset: Site.shape.dataset,
      /** As its node would get it; absent until the consortium has chosen one. */
      computation: NodeComputation.optional(),
    }),
  ),
});
export type SiteMemberships = z.output<typeof SiteMemberships>;

/** The answer to a sign of life. */
export const SiteNews = z.object({
  /** Another text than before: {@link SiteMemberships} has changed. */
  memberships: z.string(),
  /** Whether the API knows what the site said last of its readiness. */
  heard: z.boolean(),
  /** How many {@link SiteAnswers} there are. Absent: an API that is older, and takes none on the page. */
  answers: z.int().min(0).optional(),
});
export type SiteNews = z.output<typeof SiteNews>;

// ---------------------------------------------------------------- who is ready

export const Presence = z.enum(['here', 'away', 'unknown']);

export const SiteReadiness = z.object({
  siteId: SiteId,
  name: z.string(),
  membership: MembershipState,
  presence: Presence,
  /**
   * `waits`: a run would be let in after a person said so, or when the site opens; `not-ready`: it would not be let in as it is;
   * `not-known`: the site has not said it, or nobody can hear it now.
   */
  verdict: z.enum(['ready', 'waits', 'not-ready', 'not-known']),
  /** Why, as sentences. */
  says: z.array(z.string()),
  computation: Judgement.shape.verdict.optional(),
  image: Judgement.shape.image.optional(),
  data: Judgement.shape.data.optional(),
  /** When the site said so. */
  at: z.number().optional(),
});
export type SiteReadiness = z.output<typeof SiteReadiness>;
export const ConsortiumReadiness = z.object({
  /** What is missing before a run can be started at all. */
  missing: z.array(z.string()),
  sites: z.array(SiteReadiness),
});
