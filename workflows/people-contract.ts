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

/** Letters of any script, but nothing that is not seen. */
const Name = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line of text');
/** RFC 5321: no part before the @ is longer. */
const LONGEST_MAILBOX = 64;
/** Where mail is sent. */
export const MailAddress = z
  .email('must be an e-mail address')
  .max(254)
  .refine(
    (text) => text.indexOf('@') <= LONGEST_MAILBOX,
    `must not have more than ${LONGEST_MAILBOX} characters before the @`,
  );
const Email = MailAddress.toLowerCase();
export const MIN_PASSWORD = 12;
/** Long is good; what is chosen is otherwise up to who chooses it. */
export const Password = z
  .string()
  .min(MIN_PASSWORD, `must have at least ${MIN_PASSWORD} characters`)
  .max(200);
/** Of people, sessions, tokens and invitations. */
export const ThingId = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9:@._+-]+$/, 'is not an id');

// ---------------------------------------------------------------- who one is

export const Me = z.object({
  id: z.string(),
  name: z.string(),
  /** Absent for an operator, who has no account. */
  email: z.string().optional(),
  admin: z.boolean(),
  consortia: z.record(z.string(), ConsortiumRole),
  sites: z.array(z.string()).describe('The sites that they administer.'),
  mustChangePassword: z.boolean().describe('Whether nothing else is possible before.'),
  hasPassword: z.boolean().describe('Whether they sign in here by a password.'),
  via: z.enum(['session', 'token', 'operator']).describe('What was shown with the request.'),
});
export type Me = z.output<typeof Me>;

export const SignInWays = z.object({
  local: z.boolean().describe('Whether one can sign in by a password.'),
  oidc: z
    .object({ name: z.string(), path: z.string().describe('Where a browser is sent to.') })
    .optional()
    .describe('The OpenID provider by which one can sign in.'),
});
export type SignInWays = z.output<typeof SignInWays>;

export const SignInBody = z.strictObject({ email: z.string().max(254), password: z.string().max(200) });
export const NewPasswordBody = z.strictObject({
  current: z.string().max(200).describe('The password that is replaced.'),
  next: Password,
});

export const SessionView = z.object({
  id: z.string(),
  /** Whether it is the one by which the request was made. */
  current: z.boolean(),
  createdAt: z.number(),
  seenAt: z.number(),
  expiresAt: z.number(),
  address: z.string(),
  /** What the browser calls itself. */
  agent: z.string(),
});
export const SessionList = z.object({ sessions: z.array(SessionView) });
export type SessionList = z.output<typeof SessionList>;

const DAY_MS = 86_400_000;
export const MAX_TOKEN_DAYS = 366;
export const NewTokenBody = z.strictObject({
  name: Name,
  scope: Scope,
  expiresAt: z.number().describe(`Milliseconds since the epoch; at most ${MAX_TOKEN_DAYS} days from now.`),
});
export const maxTokenLifetimeMs = MAX_TOKEN_DAYS * DAY_MS;
export const TokenView = z.object({
  id: z.string(),
  name: z.string(),
  scope: Scope,
  createdAt: z.number(),
  expiresAt: z.number(),
  /** Known to the minute. */
  usedAt: z.number().optional(),
});
export type TokenView = z.output<typeof TokenView>;
export const TokenList = z.object({ tokens: z.array(TokenView) });
export const NewToken = TokenView.extend({ token: z.string().describe('Shown this once.') });

// ---------------------------------------------------------------- people

export const PersonView = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  admin: z.boolean(),
  consortia: z.record(z.string(), ConsortiumRole),
  sites: z.array(z.string()),
  createdAt: z.number(),
  disabledAt: z.number().optional(),
  signsIn: z.array(z.enum(['password', 'provider'])).describe('How: by a password, by the OpenID provider.'),
});
export type PersonView = z.output<typeof PersonView>;
export const PersonList = z.object({ people: z.array(PersonView), next: z.string().optional() });
export const NewPersonBody = z.strictObject({
  ...{ name: Name, email: Email },
  password: Password.describe('Of the first sign-in, at which they have to choose another.'),
});
export const PersonChange = z.strictObject({
  admin: z.boolean().optional(),
  disabled: z
    .boolean()
    .optional()
    .describe('Ends their sessions and tokens; they cannot sign in until they are enabled again.'),
});
export type PersonChange = z.output<typeof PersonChange>;

export const Member = z.object({ id: z.string(), name: z.string(), email: z.string(), role: ConsortiumRole });
export const MemberList = z.object({ people: z.array(Member) });
export const RoleBody = z.strictObject({ role: ConsortiumRole });
export const SiteAdminList = z.object({ people: z.array(Member.omit({ role: true })) });

// ---------------------------------------------------------------- invitations

export const InvitationBody = z.strictObject({
  email: Email.optional().describe('Whom it is for; without it, whoever has the link.'),
  ...Grants.shape,
});
export const Invitation = z.object({
  id: z.string(),
  link: z.string().describe('For the person who is invited, and nobody else. Shown this once.'),
  code: z.string(),
  expiresAt: z.number(),
});
export type Invitation = z.output<typeof Invitation>;
export const InvitationView = z.object({
  ...{ id: z.string(), email: z.string().optional(), createdBy: z.string() },
  ...{ createdAt: z.number(), expiresAt: z.number() },
  ...{ admin: z.boolean(), consortia: z.record(z.string(), ConsortiumRole), sites: z.array(z.string()) },
  usedAt: z.number().optional(),
  /** Whether it sets the password of an account anew, rather than inviting somebody. */
  resets: z.boolean(),
});
export const InvitationList = z.object({ invitations: z.array(InvitationView) });

export const Code = z.string().max(200);
export const LookBody = z.strictObject({ code: Code });
export const Look = InvitationView.pick({
  email: true,
  expiresAt: true,
  admin: true,
  sites: true,
  consortia: true,
}).extend({ by: z.string(), resets: z.boolean() });
export const AcceptBody = z.strictObject({
  code: Code,
  name: Name.optional().describe('Of a new account.'),
  email: Email.optional().describe('Of a new account, where the invitation does not say whom it is for.'),
  password: Password.optional().describe('Of a new account, or the new one of an account that is there.'),
});
export type AcceptBody = z.output<typeof AcceptBody>;

// ---------------------------------------------------------------- the OpenID provider

export const BeginOidcBody = z.strictObject({
  to: z.string().max(2000).default('/').describe('The page to go on with.'),
  code: Code.optional().describe('Of an invitation that is to be accepted by it.'),
  connect: z.boolean().default(false).describe('Whether the account of the caller is to belong to it.'),
});
export const BegunOidc = z.object({ url: z.string() });
/**
 * Why somebody who came back from the OpenID provider is not signed in, as `/sign-in?failed=...` says it: it took too long or began
 * elsewhere; the provider refused, or what it sent was not right; nobody has invited them; the invitation is not good; the
 * account is disabled; there is an account with their address that is not connected; the provider does not vouch for an address.
 */
export const OidcFailure = z.enum([
  'expired',
  'refused',
  'unknown',
  'invitation',
  'disabled',
  'account',
  'email',
]);
export type OidcFailure = z.output<typeof OidcFailure>;
