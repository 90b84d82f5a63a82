/**
 * What stands in the description of the API as examples: the world of the guides, in which hospitals of the Palmer archipelago
 * weigh penguins together. Each stands with the schema that it is of, so that one of them serves many operations.
 */
import { z } from 'zod';
import * as api from '../workflows/api-contract';
import * as audit from '../workflows/audit-contract';
import * as changes from '../workflows/changes-contract';
import * as consortia from '../workflows/consortium-contract';
import * as contract from '../workflows/contract';
import * as identity from '../workflows/identity-contract';
import { DeliveryId } from '../workflows/notice-delivery';
import * as notices from '../workflows/notice-contract';
import * as people from '../workflows/people-contract';

/** 28 November 2026, 9:30 in the morning (UTC). */
const AT = Date.UTC(2026, 10, 28, 9, 30);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const RUN = 'palmer-261128-0930-k3m9xq';
const LAUNCH = 'k3m9xq2v7b4d';
const PAGE = `https://muster.example.org/runs/${RUN}`;
const SHA = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const ADA = '5c0b6f2e9d1a4f7c9a542f1f';
const GRACE = '81d3a7409b2c4e56af10c3d2';
const CODE = 'b4gX0mV7kQe2rT9yLs1nZc8uHd5wJa3p';

/** Says with a schema what something of it may be. */
function example<Schema extends z.ZodType>(schema: Schema, ...examples: z.input<Schema>[]): void {
  z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), examples });
}

// ---------------------------------------------------------------- names and ids

example(contract.RunId, RUN);
example(contract.LaunchId, LAUNCH);
example(contract.ConsortiumId, 'palmer');
example(contract.SiteId, 'biscoe');
example(contract.NodeName, 'biscoe');
example(contract.Computation.shape.name, 'penguins');
example(contract.Computation.shape.version, '1.0.0');
example(consortia.AskId, SHA);
example(people.ThingId, ADA);
example(notices.NoticeId, 'lab-chat');
example(DeliveryId, `${RUN}.finished.lab-chat`);

// ---------------------------------------------------------------- who one is

const ME: people.Me = {
  ...{ id: ADA, name: 'Ada Palmer', email: 'ada@palmer.example', admin: false },
  ...{ consortia: { palmer: 'lead' }, sites: ['biscoe'] },
  ...{ mustChangePassword: false, hasPassword: true, via: 'token' },
};
example(people.Me, ME);
example(people.SignInWays, {
  local: true,
  oidc: { name: 'Our university', path: '/api/sign-in/oidc' },
});
example(people.SignInBody, { email: 'ada@palmer.example', password: 'gentoo chinstrap adelie' });
example(people.NewPasswordBody, { current: 'changed at the door', next: 'gentoo chinstrap adelie' });
example(people.SessionList, {
  sessions: [
    {
      ...{ id: '1f6c0d2b7a9e4835bc10d4e7', current: true, createdAt: AT, seenAt: AT + MINUTE },
      ...{ expiresAt: AT + 7 * DAY, address: '192.0.2.17', agent: 'Mozilla/5.0 (X11; Linux x86_64)' },
    },
  ],
});
const TOKEN: people.TokenView = {
  ...{ id: 'c2d10e7b5a934f68b1a7d90e', name: 'nightly', scope: 'run' },
  ...{ createdAt: AT, expiresAt: AT + 90 * DAY, usedAt: AT + DAY },
};
example(people.NewTokenBody, { name: 'nightly', scope: 'run', expiresAt: AT + 90 * DAY });
example(people.TokenList, { tokens: [TOKEN] });
example(people.NewToken, { ...TOKEN, token: `muster_${CODE}` });
example(people.BeginOidcBody, { to: '/consortia/palmer' });
example(people.BegunOidc, { url: 'https://login.example.org/authorize?client_id=muster' });

// ---------------------------------------------------------------- people

const PERSON: people.PersonView = {
  ...{ id: ADA, name: 'Ada Palmer', email: 'ada@palmer.example', admin: false },
  ...{ consortia: { palmer: 'lead' }, sites: ['biscoe'], createdAt: AT - 30 * DAY, signsIn: ['password'] },
};
const MEMBER = { id: GRACE, name: 'Grace Biscoe', email: 'grace@biscoe.example' };
example(people.PersonView, PERSON);
example(people.PersonList, { people: [PERSON] });
example(people.NewPersonBody, {
  ...{ name: 'Grace Biscoe', email: 'grace@biscoe.example' },
  password: 'changed at the door',
});
example(people.PersonChange, { disabled: true });
example(people.MemberList, { people: [{ ...MEMBER, role: 'member' }] });
example(people.RoleBody, { role: 'member' });
example(people.SiteAdminList, { people: [MEMBER] });

const GRANTS: people.Grants = { admin: false, consortia: { palmer: 'member' }, sites: ['biscoe'] };
example(people.InvitationBody, { email: 'grace@biscoe.example', ...GRANTS });
const INVITATION = '7be04c19a2d54f30b8e1f6a2';
example(people.Invitation, {
  ...{ id: INVITATION, link: `https://muster.example.org/invitation#${CODE}`, code: CODE },
  expiresAt: AT + 7 * DAY,
});
example(people.InvitationList, {
  invitations: [
    {
      ...{ id: INVITATION, email: 'grace@biscoe.example', createdBy: 'ada@palmer.example', ...GRANTS },
      ...{ createdAt: AT, expiresAt: AT + 7 * DAY, resets: false },
    },
  ],
});
example(people.LookBody, { code: CODE });
example(people.Look, {
  ...{ email: 'grace@biscoe.example', ...GRANTS, expiresAt: AT + 7 * DAY },
  ...{ by: 'ada@palmer.example', resets: false },
});
example(people.AcceptBody, { code: CODE, name: 'Grace Biscoe', password: 'gentoo chinstrap adelie' });

// ---------------------------------------------------------------- computations

const COMPUTATION = contract.Computation.parse({
  ...{ name: 'penguins', version: '1.0.0', image: 'registry.example.org/penguins:1.0.0' },
  commands: {
    ...{ provision: ['node', 'dist/provision.js'], central: ['node', 'dist/central.js'] },
    edge: ['node', 'dist/edge.js'],
  },
  parameters: {
    type: 'object',
    properties: { outcome: { type: 'string' }, predictor: { type: 'string' } },
  },
  outputs: { central: ['global_fit.json'], edge: ['local_fit.json'] },
  resources: { cpus: 1, memory: '512Mi', pids: 64, shm: '64Mi' },
});
const REF = { name: 'penguins', version: '1.0.0' };
const RECORD: api.ComputationRecord = {
  computation: { ...COMPUTATION, image: `registry.example.org/penguins@sha256:${SHA}` },
  image: {
    reference: 'registry.example.org/penguins:1.0.0',
    labels: { 'org.opencontainers.image.title': 'penguins' },
  },
  ...{ addedBy: 'root@muster.example', addedAt: AT - 20 * DAY },
};
example(contract.Computation, COMPUTATION);
example(contract.ComputationRef, REF);
example(api.ComputationRecord, RECORD);
example(api.ComputationList, { computations: [RECORD] });

// ---------------------------------------------------------------- consortia

const NAME = 'Penguins of the Palmer archipelago';
const PARAMETERS = { outcome: 'body_mass_g', predictor: 'flipper_length_mm' };
const WINDOWS: contract.Windows = { retry: '10m', lostAfter: '10m', stopConfirm: '1m' };
const SITE: contract.Site = { id: 'biscoe', name: 'Biscoe', dataset: 'penguins' };
const ACCEPTED: consortia.Membership = {
  ...{ siteId: 'biscoe', name: 'Biscoe', state: 'accepted', dataset: 'penguins' },
  ...{ invitedBy: 'ada@palmer.example', invitedAt: AT - 12 * DAY },
  ...{ answeredBy: 'grace@biscoe.example', answeredAt: AT - 11 * DAY },
};
const INVITED: consortia.Membership = {
  ...{ siteId: 'torgersen', name: 'Torgersen', state: 'invited' },
  ...{ invitedBy: 'ada@palmer.example', invitedAt: AT - DAY },
};
const CONSORTIUM: api.ConsortiumView = {
  ...{ id: 'palmer', name: NAME, description: 'How heavy is a penguin, by the length of its flippers?' },
  ...{ computation: REF, parameters: PARAMETERS, sites: [SITE], memberships: [ACCEPTED, INVITED] },
  windows: WINDOWS,
};
example(contract.Site, SITE);
example(api.ConsortiumView, CONSORTIUM);
example(api.ConsortiumList, { consortia: [CONSORTIUM] });
example(api.ConsortiumBody, {
  ...{ name: NAME, computation: REF, parameters: PARAMETERS, sites: [SITE] },
});
example(consortia.CreateConsortiumBody, {
  ...{ id: 'palmer', name: NAME, computation: REF, parameters: PARAMETERS },
});
example(consortia.PatchConsortiumBody, { parameters: PARAMETERS, windows: WINDOWS });
example(consortia.InviteSiteBody, { siteId: 'torgersen', name: 'Torgersen' });
example(
  consortia.AnswerInvitationBody,
  { accept: true, dataset: 'penguins' },
  { accept: false, reason: 'Our data is not ready before spring.' },
);
example(consortia.ConsortiumChanges, {
  changes: [
    {
      ...{ id: 214, at: AT - 11 * DAY, by: 'grace@biscoe.example', action: 'consortium.answer' },
      says: 'Accepted for the site biscoe, with the dataset penguins.',
      ...{ fields: [], siteId: 'biscoe' },
    },
  ],
});
example(consortia.ConsortiumReadiness, {
  missing: [],
  sites: [
    {
      ...{ siteId: 'biscoe', name: 'Biscoe', membership: 'accepted', presence: 'here', verdict: 'ready' },
      ...{ says: [], computation: 'allowed', image: 'here', data: 'present', at: AT - MINUTE },
    },
    {
      ...{ siteId: 'torgersen', name: 'Torgersen', membership: 'invited', presence: 'unknown' },
      ...{ verdict: 'not-known', says: ['It has not answered the invitation yet.'] },
    },
  ],
});

// ---------------------------------------------------------------- sites

const SITE_VIEW: api.SiteView = {
  ...{ id: 'biscoe', name: 'Biscoe', consortia: ['palmer'], presence: 'here', seenAt: AT },
  ...{ runtimes: ['docker'], version: '0.1.0', standing: { state: 'joined', at: AT + 60 * DAY } },
};
const { siteId: _site, ...MEMBERSHIP } = ACCEPTED;
const ASK: consortia.Ask = {
  ...{ id: SHA, runId: RUN, since: AT + MINUTE, consortium: { id: 'palmer', name: NAME } },
  computation: { ...REF, image: RECORD.computation.image, command: COMPUTATION.commands.edge },
  ...{ dataset: 'penguins', gets: 'It reads penguins, and what it makes of them goes to the central node.' },
};
example(api.SiteView, SITE_VIEW);
example(api.SiteList, { sites: [SITE_VIEW] });
example(api.SiteDetail, {
  site: SITE_VIEW,
  memberships: [{ ...MEMBERSHIP, consortium: { id: 'palmer', name: NAME }, computation: REF }],
  policy: { says: ['penguins 1.0.0 may run, once a person has said so.'], approval: 'page' },
  ...{ asks: [ASK], saidAt: AT + MINUTE, mayEnrol: true },
});
example(
  consortia.AnswerAskBody,
  { verdict: 'approved' },
  { verdict: 'refused', why: 'Not before the ethics board has met.' },
);
example(consortia.AskAnswer, { verdict: 'approved', by: 'grace@biscoe.example', at: AT + 2 * MINUTE });
example(identity.AddSiteBody, { id: 'torgersen', hours: 48 });
example(identity.SiteInvitation, {
  ...{ siteId: 'torgersen', code: CODE, expiresAt: AT + 2 * DAY },
  siteApiUrl: 'https://muster.example.org:7443',
});
example(identity.RevokeSiteBody, { reason: 'The machine was stolen.' });
example(identity.RevokedSite, { siteId: 'torgersen', certificates: 1 });
example(identity.GatewayList, {
  gateways: [{ name: 'centre-1:7410', presence: 'here', seenAt: AT }],
  at: AT + 1_000,
});
const pem = (what: string) => `-----BEGIN ${what}-----\nMIIBszCCAVmgAwIBAgIUd2K...\n-----END ${what}-----\n`;
example(identity.SiteAuthority, { ca: pem('CERTIFICATE') });
example(identity.EnrolSiteBody, { code: CODE, csr: pem('CERTIFICATE REQUEST') });
example(identity.SiteCredentials, {
  ...{ certificate: pem('CERTIFICATE'), notAfter: AT + 60 * DAY, ca: pem('CERTIFICATE') },
  ...{ siteApiUrl: 'https://muster.example.org:7443', gatewayAddress: 'muster.example.org:7444' },
  ...{ publicUrl: 'https://muster.example.org', instanceKey: pem('PUBLIC KEY') },
});

// ---------------------------------------------------------------- runs

const RUN_VIEW: contract.RunView = {
  ...{ runId: RUN, launchId: LAUNCH, consortium: { id: 'palmer', name: NAME }, computation: REF },
  ...{ state: 'running', since: AT + MINUTE, startedAt: AT, startedBy: 'ada@palmer.example' },
};
const SUMMARY: api.RunSummary = { ...RUN_VIEW, sites: 1 };
const FAILURE: contract.NodeError = {
  ...{ node: 'biscoe', phase: 'launchEdgeNode', type: 'DataMissing' },
  message: '/data/penguins is not there.',
};
const ENTRY: api.ErrorEntry = {
  ...{ ...FAILURE, runId: RUN, launchId: LAUNCH, count: 3, firstAt: AT + MINUTE, lastAt: AT + 3 * MINUTE },
  ...{ retrying: true, turn: "the host's administrator" },
  advice: 'The site administrator maps the dataset to an existing folder in site.yaml.',
};
const NODE: contract.NodeView = {
  ...{ node: 'biscoe', name: 'Biscoe', state: 'launching', since: AT + MINUTE, attention: FAILURE },
};
const CENTRAL: contract.NodeView = {
  ...{ node: 'central', name: 'Central', state: 'running', since: AT + MINUTE, runtime: 'docker' },
  report: { phase: 'waiting for sites', progress: 0.2 },
};
const ATTEMPT: api.Attempt = {
  ...{ launchId: LAUNCH, how: 'start', by: 'ada@palmer.example', startedAt: AT, state: 'running' },
};
const STARTED: api.StartedRun = {
  ...{ runId: RUN, page: PAGE },
  temporal: `https://temporal.example.org/namespaces/muster/workflows/${RUN}`,
};
example(contract.RunView, RUN_VIEW);
example(contract.NodeView, NODE);
example(contract.NodeError, FAILURE);
example(api.Attempt, ATTEMPT);
example(api.RunSummary, SUMMARY);
example(api.StartRunBody, { parameters: PARAMETERS }, {});
example(api.StartedRun, STARTED);
example(api.StopRunBody, { reason: 'The wrong predictor.' });
example(api.RetryRunBody, { from: 'sites', site: 'biscoe', reason: 'The folder is mapped now.' }, {});
example(api.RunList, { runs: [SUMMARY], next: `${AT}.${RUN}` });
example(api.RunDetail, {
  ...{ run: RUN_VIEW, nodes: [CENTRAL, NODE], errors: [ENTRY], attempts: [ATTEMPT], lastEventId: 4182 },
  links: { page: PAGE },
});
example(api.ErrorEntry, ENTRY);
example(api.ErrorPage, { errors: [ENTRY] });
example(api.RunEvent, { ...{ id: 4182, runId: RUN, at: AT + MINUTE, type: 'node' }, data: { ...NODE } });
example(api.ResultList, {
  results: [
    {
      ...{ name: 'global_fit.json', size: 1_204, sha256: SHA },
      url: `https://objects.example.org/muster/runs/${RUN}/${LAUNCH}/results/central/global_fit.json?X-Amz-Expires=900`,
    },
  ],
});
const WAITING: changes.WaitingItem = {
  ...{ kind: 'node', consortiumId: 'palmer', runId: RUN, node: 'biscoe' },
  ...{ type: FAILURE.type, message: FAILURE.message, advice: ENTRY.advice, turn: ENTRY.turn, mine: true },
};
example(changes.WaitingItem, WAITING);
example(changes.WaitingList, { waiting: [WAITING] });
example(changes.Change, { type: 'run', run: SUMMARY }, { type: 'look-again' });

// ---------------------------------------------------------------- notices and the audit log

const NOTICE_BODY: notices.NoticeBody = {
  ...{ kind: 'webhook', url: 'https://chat.example.org/hooks/penguins', on: ['finished', 'failed'] },
};
const NOTICE: notices.Notice = {
  ...{ ...NOTICE_BODY, id: 'lab-chat', createdBy: 'ada@palmer.example', createdAt: AT - 5 * DAY },
  deliveries: [
    {
      ...{ id: `${RUN}.finished.lab-chat`, event: 'finished', runId: RUN, state: 'delivered' },
      ...{ attempts: 1, createdAt: AT + 10 * MINUTE, triedAt: AT + 10 * MINUTE },
    },
  ],
};
example(notices.NoticeBody, NOTICE_BODY, { kind: 'email', to: 'lab@palmer.example', on: ['waiting'] });
example(notices.NoticeList, { notices: [NOTICE], noMailServer: false });
example(notices.PutNotice, { notice: NOTICE, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' });
example(notices.TestedNotice, { deliveryId: 'test.palmer.lab-chat.1f6c0d2b' });
example(notices.MyNotices, { on: ['failed', 'waiting'] });
example(notices.MyNoticesView, { on: ['failed', 'waiting'], noMailServer: false });
example(audit.AuditPage, {
  entries: [
    {
      ...{ id: 215, at: AT, action: 'run.start', by: 'ada@palmer.example', personId: ADA, via: 'token' },
      ...{ address: '192.0.2.17', consortiumId: 'palmer', runId: RUN, detail: { fields: ['parameters'] } },
    },
  ],
  next: 215,
});
