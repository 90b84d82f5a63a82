/**
 * Who is let in where: every route of the API as it runs, called by everybody there is. A route that is not in the table fails,
 * and so does one that lets somebody in of whom the table does not say it. Whoever is let in is not served here, so nothing
 * happens; what handlers refuse beside, their own tests say.
 */
import type { FastifyInstance } from 'fastify';
import type { AccessClaims } from '../../workflows/api-contract';
import { register, start } from './scenes';
import { admin, central, person, site, useServer, type TestCaller } from './server';
import { LAUNCH } from './views';

/** Of the consortium and the run of the path, in which the site `alpha` takes part; it is also the site of the path. */
const grants = (role: 'viewer' | 'member' | 'lead', id = 'penguins') => ({ consortia: { [id]: role } });
const CALLERS = {
  nobody: undefined,
  somebody: person('somebody@example.org'),
  viewer: person('viewer@example.org', grants('viewer')),
  member: person('member@example.org', grants('member')),
  lead: person('lead@example.org', grants('lead')),
  'lead elsewhere': person('elsewhere@example.org', grants('lead', 'seals')),
  'site admin': person('alpha@example.org', { sites: ['alpha'] }),
  'site admin elsewhere': person('omega@example.org', { sites: ['omega'] }),
  admin: person('admin@example.org', { admin: true }),
  operator: admin,
  /** Tokens of a lead that are not good for all that a lead may do. */
  'token to read': person('reader@example.org', { ...grants('lead'), scope: 'read' }),
  'token to run': person('runner@example.org', { ...grants('lead'), scope: 'run' }),
  /** And one that reads for an admin. */
  'token to read of an admin': person('looking@example.org', { admin: true, scope: 'read' }),
  central,
  gateway: { role: 'gateway', sub: 'gateway-1' } satisfies AccessClaims,
  node: {
    ...{ role: 'node', sub: 'a-run/alpha', runId: 'a-run', launchId: LAUNCH, node: 'alpha' },
  } satisfies AccessClaims,
  site: site('alpha'),
} satisfies Record<string, TestCaller | undefined>;
type Kind = keyof typeof CALLERS;
const isKind = (name: string): name is Kind => name in CALLERS;
const KINDS = Object.keys(CALLERS).filter(isKind);

const ALL = KINDS;
/** Sites find at their own door only what is for them. */
const BROWSERS = KINDS.filter((kind) => kind !== 'site');
const ADMINS: Kind[] = ['admin', 'operator'];
const LOOKING_ADMINS: Kind[] = [...ADMINS, 'token to read of an admin'];
const PEOPLE: Kind[] = [
  ...['somebody', 'viewer', 'member', 'lead', 'lead elsewhere', 'site admin', 'site admin elsewhere'].filter(
    isKind,
  ),
  ...ADMINS,
];
const TOKENS: Kind[] = ['token to read', 'token to run', 'token to read of an admin'];
const READERS = [...PEOPLE, ...TOKENS];
const LEADS: Kind[] = ['lead', ...ADMINS];
const LOOKING_LEADS = [...LEADS, ...TOKENS];
const RUNNERS: Kind[] = [...LEADS, 'token to run'];
const MEMBERS: Kind[] = ['member', ...LOOKING_LEADS];
const VIEWERS: Kind[] = ['viewer', ...MEMBERS];
const ONLOOKERS: Kind[] = ['site admin', ...VIEWERS];
const SITE_ADMINS: Kind[] = ['site admin', ...ADMINS];
const LOOKING_SITE_ADMINS: Kind[] = ['site admin', ...LOOKING_ADMINS];

/** By operationId: who is let in, and nobody else. */
const TABLE: Readonly<Record<string, readonly Kind[]>> = {
  // Signing in, and what is one's own.
  getSignInWays: BROWSERS,
  signIn: BROWSERS,
  signOut: BROWSERS,
  signInByProvider: BROWSERS,
  beginSignInByProvider: BROWSERS,
  finishSignInByProvider: BROWSERS,
  lookAtInvitation: BROWSERS,
  acceptInvitation: BROWSERS,
  signInAsOperator: ADMINS,
  getMe: READERS,
  changePassword: PEOPLE,
  listSessions: READERS,
  endSession: PEOPLE,
  listTokens: READERS,
  createToken: PEOPLE,
  deleteToken: PEOPLE,
  getMyNotices: READERS,
  putMyNotices: PEOPLE,
  // People.
  listPeople: LOOKING_ADMINS,
  addPerson: ADMINS,
  changePerson: ADMINS,
  resetPassword: ADMINS,
  invite: PEOPLE,
  listInvitations: READERS,
  revokeInvitation: PEOPLE,
  listConsortiumPeople: VIEWERS,
  setConsortiumRole: LEADS,
  removeConsortiumPerson: LEADS,
  listSitePeople: LOOKING_SITE_ADMINS,
  addSitePerson: SITE_ADMINS,
  removeSitePerson: SITE_ADMINS,
  listAudit: READERS,
  exportAudit: LOOKING_ADMINS,
  // Computations.
  addComputation: ADMINS,
  removeComputation: ADMINS,
  listComputations: [...READERS, 'central'],
  getComputation: [...READERS, 'central'],
  // Consortia.
  createConsortium: PEOPLE,
  listConsortia: [...READERS, 'central'],
  putConsortium: ADMINS,
  changeConsortium: LEADS,
  archiveConsortium: LEADS,
  getConsortium: [...ONLOOKERS, 'central'],
  listChanges: ONLOOKERS,
  getConsortiumReadiness: ONLOOKERS,
  inviteSite: LEADS,
  removeSite: [...LEADS, 'site admin'],
  answerInvitation: SITE_ADMINS,
  listNotices: LOOKING_LEADS,
  putNotice: LEADS,
  removeNotice: LEADS,
  testNotice: LEADS,
  // Runs.
  startRun: RUNNERS,
  stopRun: RUNNERS,
  retryRun: RUNNERS,
  listRuns: [...READERS, 'central'],
  followChanges: READERS,
  listWaiting: READERS,
  getRun: [...ONLOOKERS, 'central'],
  listErrors: [...ONLOOKERS, 'central'],
  followRun: [...ONLOOKERS, 'central'],
  getNodeLog: [...MEMBERS, 'central'],
  followNodeLog: [...MEMBERS, 'central'],
  downloadResult: [...MEMBERS],
  listResults: [...MEMBERS, 'central'],
  // Sites.
  listSites: READERS,
  getSite: READERS,
  addSite: PEOPLE,
  revokeSite: PEOPLE,
  getSiteAuthority: ALL,
  joinSite: ALL,
  renewCertificate: ['site'],
  reportPresence: ['site'],
  getMemberships: ['site'],
  getAnswers: ['site'],
  answerAsk: SITE_ADMINS,
  reportReadiness: ['site'],
  getAdmissions: ['gateway'],
  removeGateway: ['gateway'],
  listGateways: LOOKING_ADMINS,
  // Workers and nodes.
  reportRunStartedCentral: ['central'],
  reportStatusCentral: ['central'],
  reportErrorCentral: ['central'],
  reportErrorEdge: ['site'],
  putRunKits: ['central'],
  removeRunKits: ['central'],
  getRunKit: ['central', 'site'],
  putNodeLog: ['central', 'site'],
  askLiveness: ['central', 'site'],
  reportNode: ['node'],
  getDeliveryOrder: ['central'],
  reportDelivery: ['central'],
  // Temporal's Web UI.
  decodePayloads: ADMINS,
  encodePayloads: ADMINS,
  passToCodec: ADMINS,
};

interface Route {
  method: string;
  url: string;
  operationId: string;
}

describe('who is let in', () => {
  const routes: Route[] = [];
  let isOpen = true;
  /** Sees every route, and stops whoever is let in before anything is done for them. */
  const before = (app: FastifyInstance) => {
    app.addHook('onRoute', ({ method, url, schema }) => {
      const operationId = schema?.operationId ?? '';
      for (const one of [method].flat())
        if (url.startsWith('/api/') && !['HEAD', 'OPTIONS'].includes(one))
          routes.push({ method: one, url, operationId });
    });
    app.addHook('preValidation', async (_request, reply) => {
      if (isOpen) return;
      reply.hijack();
      reply.raw.writeHead(LET_IN).end();
    });
  };
  const server = useServer('embedded', { before });
  let paths: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    await register(server, 'penguins');
    await register(server, 'seals', { sites: [{ id: 'omega', name: 'Omega', dataset: 'birds' }] });
    paths = {
      consortiumId: 'penguins',
      siteId: 'alpha',
      runId: await start(server),
      node: 'alpha',
      launchId: LAUNCH,
    };
    // Of sites there is another door, with another server behind it.
    await server.call('GET /api/runs', { as: CALLERS.site });
    isOpen = false;
  });

  async function isLetIn({ method, url }: Route, kind: Kind): Promise<boolean> {
    const path = url.replace(/:([a-zA-Z]+)/g, (_all, name: string) => paths[name] ?? 'x');
    const as: TestCaller | undefined = CALLERS[kind];
    const answer = await (as === undefined
      ? server.app.inject({ method: method as 'GET', url: path })
      : server.call(`${method} ${path}`, { as }));
    if (answer.statusCode === LET_IN) return true;
    // A site is told at its own door that there is nothing.
    const refusals: Partial<Record<Kind, number[]>> = { nobody: [401], site: [403, 404] };
    expect(refusals[kind] ?? [403]).toContain(answer.statusCode);
    return false;
  }

  it('is said of every route that there is, and of no other', () => {
    const ids = new Set(routes.map(({ operationId }) => operationId));
    expect([...ids].sort()).toEqual(Object.keys(TABLE).sort());
  });

  it.each(Object.keys(TABLE))('to %s', async (operationId) => {
    const route = routes.find((one) => one.operationId === operationId);
    if (route === undefined)
      throw new Error(`There is no ${operationId} any more: take it out of the table.`);
    const letIn: Kind[] = [];
    for (const kind of KINDS) if (await isLetIn(route, kind)) letIn.push(kind);
    expect(letIn.sort()).toEqual([...(TABLE[operationId] ?? [])].sort());
  });
});

/** No route answers so. */
const LET_IN = 299;
