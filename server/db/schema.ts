/**
 * The tables. They are a projection of what reports said, and outlive Temporal's retention; the truth about a live run
 * is its workflow.
 *
 * Documents are `json` and not `jsonb`: they are never searched, and `jsonb` refuses the NUL that a program's last words
 * may hold.
 */
import { getTableColumns, sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  doublePrecision,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { ConsortiumBody, PresenceBody, RunEvent } from '../../workflows/api-contract';
import type { AskAnswer, MembershipState, ReadinessBody } from '../../workflows/consortium-contract';
import {
  TERMINAL_NODE_STATES,
  type Computation,
  type NodeError,
  type NodeView,
  type ResolvedImage,
  type RunInput,
  type RunView,
  type StartedReport,
} from '../../workflows/contract';
import type { NoticeBody, NoticeDelivery, NoticeEvent } from '../../workflows/notice-contract';
import type { Occasion } from '../notices/occasions';
import type { ConsortiumRole, Grants, Scope } from '../../workflows/people-contract';
import type { StoredParameters } from '../parameters/seal';

/** Something with parameters, which are sealed here. */
type Stored<Whole> = Omit<Whole, 'parameters'> & { parameters: StoredParameters };

/** Milliseconds since the epoch. */
const moment = () => doublePrecision();

/** Which report a row's view comes from; see projection.ts for how reports are ordered. */
const provenance = () => ({
  launchId: text(),
  /** Temporal's id of the execution that reported; empty before the first report. */
  execution: text().notNull().default(''),
  reportedAt: moment().notNull().default(0),
  reportedSeq: bigint({ mode: 'number' }).notNull().default(0),
});

/** Registered computations: what their authors wrote, and what their images were when they were registered. */
export const computations = pgTable(
  'computations',
  {
    name: text().notNull(),
    version: text().notNull(),
    manifest: json().$type<Computation>().notNull(),
    image: json().$type<ResolvedImage>(),
    addedBy: text().notNull(),
    addedAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

/** What of a consortium is kept as one; its sites are rows of their own. */
type ConsortiumCore = Omit<ConsortiumBody, 'sites' | 'computation'> &
  Partial<Pick<ConsortiumBody, 'computation'>>;

export const consortia = pgTable('consortia', {
  id: text().primaryKey(),
  body: json().$type<Stored<ConsortiumCore>>().notNull(),
  /** Counts every change of it and of its memberships. */
  revision: integer().notNull().default(1),
  archivedAt: moment(),
});

/** Which sites were ever invited to which consortium, and what became of it. */
export const memberships = pgTable(
  'memberships',
  {
    consortiumId: text().notNull(),
    siteId: text().notNull(),
    /** Among those of its consortium. */
    position: integer().notNull(),
    name: text().notNull(),
    state: text().$type<MembershipState>().notNull(),
    /** As the site calls it; absent until it has accepted. */
    dataset: text(),
    invitedBy: text().notNull(),
    invitedAt: moment().notNull(),
    answeredBy: text(),
    answeredAt: moment(),
    reason: text(),
  },
  (table) => [
    primaryKey({ columns: [table.consortiumId, table.siteId] }),
    index().on(table.siteId, table.state),
  ],
);

/** What each edge worker last said of its site. */
export const siteReadiness = pgTable('site_readiness', {
  siteId: text().primaryKey(),
  at: moment().notNull(),
  body: json().$type<ReadinessBody>().notNull(),
});

/** What people said on the page of runs that wait at a site, until the site has taken it. */
export const siteAnswers = pgTable(
  'site_answers',
  {
    siteId: text().notNull(),
    /** The digest of all that was asked. */
    askId: text().notNull(),
    verdict: text().$type<AskAnswer['verdict']>().notNull(),
    why: text(),
    by: text().notNull(),
    at: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.siteId, table.askId] })],
);

/** What edge workers last said of themselves. */
export const sites = pgTable('sites', {
  siteId: text().primaryKey(),
  seenAt: moment().notNull(),
  state: text().$type<PresenceBody['state']>().notNull(),
  runtimes: json().$type<PresenceBody['runtimes']>().notNull(),
  version: text().notNull(),
});

/** When each site gateway asked last; one that says that it ends has no row any more. */
export const gateways = pgTable('gateways', {
  name: text().primaryKey(),
  seenAt: moment().notNull(),
});

/** Sites that were added, and the code by which each may join: only a digest of it is kept. */
export const siteEnrolments = pgTable('site_enrolments', {
  siteId: text().primaryKey(),
  /** Who added the site first. */
  addedBy: text().notNull(),
  /** The person, by whom nobody else is meant; absent for what was added before there were accounts. */
  addedById: text(),
  /** SHA-256 of the last code's secret, hexadecimal; absent when the site was revoked since. */
  codeHash: text(),
  /** Of the code; or when the site was revoked. */
  expiresAt: moment().notNull(),
  usedAt: moment(),
});

/** Every certificate that a site was given. */
export const siteCertificates = pgTable(
  'site_certificates',
  {
    serial: text().primaryKey(),
    siteId: text().notNull(),
    /** PEM. */
    certificate: text().notNull(),
    issuedAt: moment().notNull(),
    notAfter: moment().notNull(),
    revokedAt: moment(),
    revokedBy: text(),
    reason: text(),
  },
  (table) => [
    index().on(table.siteId),
    // Few, and asked for every few seconds.
    index('revoked_certificates')
      .on(table.notAfter)
      .where(sql`${table.revokedAt} is not null`),
  ],
);

/** Everybody who has an account. Nobody is ever removed, for what they did has their name: they are disabled. */
export const people = pgTable(
  'people',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** In small letters. */
    email: text().notNull().unique(),
    admin: boolean().notNull().default(false),
    createdAt: moment().notNull(),
    disabledAt: moment(),
    /** As passwords.ts writes it; absent for who signs in elsewhere. */
    password: text(),
    mustChangePassword: boolean().notNull().default(false),
    /** Wrong passwords since the last right one, and until when none is looked at. */
    failures: integer().notNull().default(0),
    lockedUntil: moment(),
    /** Who the person is at the OpenID provider. */
    issuer: text(),
    subject: text(),
  },
  (table) => [uniqueIndex('people_elsewhere').on(table.issuer, table.subject)],
);

/** Browsers in which somebody is signed in. Of what they show only a digest is kept. */
export const sessions = pgTable(
  'sessions',
  {
    id: text().primaryKey(),
    /** SHA-256 of the cookie, hexadecimal. */
    hash: text().notNull().unique(),
    personId: text(),
    /** Who the operator's token named that the session was made of; then there is no person. */
    operator: text(),
    createdAt: moment().notNull(),
    seenAt: moment().notNull(),
    expiresAt: moment().notNull(),
    address: text().notNull(),
    agent: text().notNull(),
  },
  (table) => [index().on(table.personId), index().on(table.expiresAt)],
);

/** Tokens that people made for their programs. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: text().primaryKey(),
    personId: text().notNull(),
    name: text().notNull(),
    /** SHA-256 of the token, hexadecimal. */
    hash: text().notNull().unique(),
    scope: text().$type<Scope>().notNull(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
    usedAt: moment(),
  },
  (table) => [index().on(table.personId)],
);

export const consortiumPeople = pgTable(
  'consortium_people',
  {
    consortiumId: text().notNull(),
    personId: text().notNull(),
    role: text().$type<ConsortiumRole>().notNull(),
    addedBy: text().notNull(),
    addedAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.consortiumId, table.personId] }), index().on(table.personId)],
);

/** Who administers which site. */
export const sitePeople = pgTable(
  'site_people',
  {
    siteId: text().notNull(),
    personId: text().notNull(),
    addedBy: text().notNull(),
    addedAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.siteId, table.personId] }), index().on(table.personId)],
);

/** Links by which somebody gets an account, more to do with it, or a new password for it; each is good once. */
export const invitations = pgTable('invitations', {
  id: text().primaryKey(),
  /** SHA-256 of the code, hexadecimal. */
  hash: text().notNull().unique(),
  /** Whom it is for, in small letters; without it, whoever has the link. */
  email: text(),
  grants: json().$type<Grants>().notNull(),
  /** Whose password is set anew by it; it grants nothing then. */
  resets: text(),
  createdBy: text().notNull(),
  createdById: text().notNull(),
  createdAt: moment().notNull(),
  expiresAt: moment().notNull(),
  usedAt: moment(),
  usedBy: text(),
});

/** Who did what. Rows are added and nothing else: the database itself refuses to change one. */
export const audit = pgTable(
  'audit',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    at: moment().notNull(),
    action: text().notNull(),
    /** Name and id of who did it, and what they showed: a session, a token, an operator's token; or nothing yet. */
    by: text().notNull(),
    personId: text(),
    via: text().notNull(),
    address: text().notNull(),
    consortiumId: text(),
    siteId: text(),
    runId: text(),
    detail: json().$type<Record<string, unknown>>(),
  },
  (table) => [
    index().on(table.consortiumId, table.id),
    index().on(table.siteId, table.id),
    index().on(table.runId, table.id),
    index().on(table.personId, table.id),
  ],
);

export const runs = pgTable(
  'runs',
  {
    runId: text().primaryKey(),
    consortiumId: text().notNull(),
    startedAt: moment().notNull(),
    state: text().$type<RunView['state']>().notNull(),
    view: json().$type<RunView>().notNull(),
    ...provenance(),
    /** When the row last changed, by this server's clock. */
    updatedAt: moment().notNull(),
    /** What the run was asked to be; absent where it was started elsewhere. */
    input: json().$type<Stored<RunInput>>(),
    /** The parameters that the request itself brought. */
    requested: json().$type<StoredParameters>(),
    idempotencyKey: text(),
    /** Whether Temporal is known to have it. */
    handedOver: boolean().notNull().default(true),
  },
  (table) => [
    unique().on(table.consortiumId, table.idempotencyKey),
    // As lists are read, from their ends: the newest first, from any run on.
    index('listed_runs').on(table.startedAt, table.runId),
    index('listed_runs_of_consortium').on(table.consortiumId, table.startedAt, table.runId),
    index('listed_runs_in_state').on(table.state, table.startedAt, table.runId),
  ],
);

/** A run without what it was asked to be, which can be large and is seldom needed. */
const { input: _large, requested: _asLarge, ...runColumns } = getTableColumns(runs);
export { runColumns };

export const nodes = pgTable(
  'nodes',
  {
    runId: text().notNull(),
    node: text().notNull(),
    /** Grows in the order in which the nodes of a run became known. */
    position: bigserial({ mode: 'number' }),
    state: text().$type<NodeView['state']>().notNull(),
    view: json().$type<NodeView>().notNull(),
    ...provenance(),
    /** The launch that was told that this node's site is away; see presence-watch.ts. */
    toldAway: text(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.node] }),
    index('runs_of_node').on(table.node, table.runId),
    // Nodes that have not ended are few, and looked for every few seconds.
    index('open_nodes')
      .on(table.node)
      .where(sql`${table.state} not in (${sql.raw(TERMINAL_NODE_STATES.map((s) => `'${s}'`).join(', '))})`),
  ],
);

/** Every launch that a run has reported, also those that never came up: what was tried, and how it ended. */
export const attempts = pgTable(
  'attempts',
  {
    runId: text().notNull(),
    launchId: text().notNull(),
    /** Grows in the order in which the launches of a run became known. */
    position: bigserial({ mode: 'number' }),
    /** The site's, of an attempt at one site alone. */
    node: text(),
    /** Who asked the run itself for it, while it was under way. */
    by: text(),
    reason: text(),
    /** Temporal's id of the execution that began it. */
    execution: text().notNull(),
    startedAt: moment().notNull(),
    state: text().$type<RunView['state'] | NodeView['state']>().notNull(),
    endedAt: moment(),
    error: json().$type<NodeError>(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.launchId] })],
);

/** Who asked the API for which execution of a run. What began otherwise, someone began in Temporal. */
export const retries = pgTable(
  'retries',
  {
    runId: text().notNull(),
    execution: text().notNull(),
    by: text().notNull(),
    reason: text(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.execution] })],
);

/** Launches whose central node is up. */
export const launches = pgTable(
  'launches',
  {
    runId: text().notNull(),
    launchId: text().notNull(),
    endpoint: json().$type<StartedReport['endpoint']>().notNull(),
    startedAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.launchId] })],
);

/**
 * The kits of sites of launches that are not over, and what each is sealed with: once the key is gone from here, no copy of
 * the kit can be opened.
 */
export const kitKeys = pgTable(
  'kit_keys',
  {
    runId: text().notNull(),
    launchId: text().notNull(),
    node: text().notNull(),
    sha256: text().notNull(),
    size: bigint({ mode: 'number' }).notNull(),
    /** Digest of what the node is to run. */
    computation: text().notNull(),
    dataset: text().notNull(),
    /** Sealed with the payload keys; base64url. */
    sealedKey: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.launchId, table.node] })],
);

/** The error log: one row for each distinct failure of a run. */
export const errors = pgTable(
  'errors',
  {
    runId: text().notNull(),
    /** Digest of what makes it distinct. */
    identity: text().notNull(),
    launchId: text(),
    node: text().notNull(),
    error: json().$type<NodeError>().notNull(),
    count: integer().notNull(),
    firstAt: moment().notNull(),
    lastAt: moment().notNull(),
    retrying: boolean().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.identity] })],
);

export const events = pgTable(
  'events',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    runId: text().notNull(),
    at: moment().notNull(),
    type: text().$type<RunEvent['type']>().notNull(),
    data: json().$type<RunEvent['data']>().notNull(),
    /** Of the events of a run that have the same subject only the last is kept: it says all that the others said. */
    subject: text(),
  },
  (table) => [
    index().on(table.runId, table.id),
    index('event_subjects')
      .on(table.runId, table.subject)
      .where(sql`${table.subject} is not null`),
  ],
);

/** An event as it is told. */
const { subject: _internal, ...eventColumns } = getTableColumns(events);
export { eventColumns };

/** Who is told of what happens to a consortium's runs. */
export const notices = pgTable(
  'notices',
  {
    consortiumId: text().notNull(),
    id: text().notNull(),
    body: json().$type<NoticeBody>().notNull(),
    /** Of a webhook; sealed with the payload keys, hexadecimal. */
    sealedSecret: text(),
    createdBy: text().notNull(),
    createdAt: moment().notNull(),
    /** Since when nothing reached it. */
    failingSince: moment(),
    off: json().$type<{ at: number; reason: string }>(),
  },
  (table) => [primaryKey({ columns: [table.consortiumId, table.id] })],
);

/** What people want to be told by mail of the runs that they may look at. */
export const personNotices = pgTable('person_notices', {
  personId: text().primaryKey(),
  on: json().$type<NoticeEvent[]>().notNull(),
});

/** Notices to be sent, and what became of them. Each is written together with what it tells of, and then handed to Temporal. */
export const noticeDeliveries = pgTable(
  'notice_deliveries',
  {
    /** The workflow's id. */
    id: text().primaryKey(),
    consortiumId: text().notNull(),
    /** The receiver: one of the consortium's notices, or a person who asked for it. */
    noticeId: text(),
    personId: text(),
    event: text().$type<NoticeDelivery['event']>().notNull(),
    /** Absent for a test. */
    occasion: json().$type<Occasion>(),
    runId: text(),
    createdAt: moment().notNull(),
    /** Whether Temporal is known to have it. */
    handedOver: boolean().notNull().default(false),
    state: text().$type<NoticeDelivery['state']>().notNull().default('pending'),
    attempts: integer().notNull().default(0),
    triedAt: moment(),
    problem: text(),
  },
  (table) => [
    index().on(table.consortiumId, table.noticeId, table.createdAt.desc()),
    index().on(table.personId, table.createdAt.desc()),
    index().on(table.runId),
    index().on(table.triedAt),
    index('notices_to_hand_over')
      .on(table.createdAt)
      .where(sql`not ${table.handedOver}`),
  ],
);
