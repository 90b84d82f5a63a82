/** The command line does what the API lets people do: each operation of theirs is called by a command, or it is said why not. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { z } from 'zod';
import { createProgram } from '../../cli/program';
import { ApiProblem } from '../../client';
import { ContractServer, json, problem, type SeenRequest } from '../support/contract-server';
import { useFolder } from '../support/folder';
import { runView } from '../support/run-pictures';

const CLI = join(__dirname, '../../dist/cli/main.js');

const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({ operationId: z.string(), security: z.array(z.record(z.string(), z.unknown())).optional() }),
    ),
  ),
});
const { paths } = Document.parse(
  JSON.parse(readFileSync(join(__dirname, '../../docs/openapi.json'), 'utf8')),
);
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, security = [] }]) => ({
    operationId,
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    // What needs nothing is for people too, who have signed in nowhere yet.
    isOfPeople: security.length === 0 || security.some((way) => 'session' in way),
  })),
);
const called = ({ method, path }: SeenRequest) =>
  operations.find((one) => one.method === method && one.path.test(path.split('?')[0] ?? ''))?.operationId;

/** What is not for a terminal, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  passToCodec: 'sets a cookie of the browser, for Temporal’s Web UI',
  signInAsOperator: 'makes a session of the browser; a command sends an operator’s token itself',
  signInByProvider: 'sends a browser to the OpenID provider',
  beginSignInByProvider: 'sends a browser to the OpenID provider',
  finishSignInByProvider: 'is where the OpenID provider sends the browser back to',
  getSiteAuthority: 'is asked by `muster site join` at the address for sites, before it trusts anybody',
  joinSite: 'is called by `muster site join` at the address for sites',
  archiveConsortium: 'is `muster consortium edit --archive`, by changeConsortium',
  getHealth: 'says to whoever starts the process that it lives; `muster health` asks getReadiness',
  putConsortium: 'replaces all of a consortium; people change what they name, by changeConsortium',
};

const folder = useFolder();
const computation = join(__dirname, '../../computations/penguins/computation.yaml');
const link = (url: string) => `${url}/invitation#code`;

/** What calls each: the words after `muster`, and what is typed. */
const REACHED: Readonly<Record<string, string[] | ((url: string) => { words: string[]; typed: string })>> = {
  listAudit: ['audit'],
  exportAudit: ['audit', '--export'],
  addComputation: ['computation', 'add', computation],
  listComputations: ['computation', 'ls'],
  getComputation: ['computation', 'show', 'penguins@1.0.0'],
  removeComputation: ['computation', 'rm', 'penguins@1.0.0'],
  createConsortium: ['consortium', 'create', 'Penguins'],
  listConsortia: ['consortium', 'ls'],
  changeConsortium: ['consortium', 'edit', 'penguins', '--name', 'Birds'],
  getConsortium: ['consortium', 'show', 'penguins'],
  listChanges: ['consortium', 'changes', 'penguins'],
  listNotices: ['consortium', 'notices', 'ls', 'penguins'],
  putNotice: ['consortium', 'notices', 'webhook', 'penguins', 'chat', 'https://example.org/hook'],
  removeNotice: ['consortium', 'notices', 'rm', 'penguins', 'chat'],
  testNotice: ['consortium', 'notices', 'test', 'penguins', 'chat'],
  listConsortiumPeople: ['consortium', 'people', 'ls', 'penguins'],
  setConsortiumRole: ['consortium', 'people', 'set', 'penguins', 'ada@example.org', 'lead'],
  removeConsortiumPerson: ['consortium', 'people', 'rm', 'penguins', 'ada@example.org'],
  getConsortiumReadiness: ['consortium', 'readiness', 'penguins'],
  startRun: ['run', 'start', 'penguins'],
  inviteSite: ['consortium', 'invite', 'penguins', 'biscoe'],
  removeSite: ['consortium', 'remove', 'penguins', 'biscoe'],
  answerInvitation: ['site', 'answer', 'biscoe', 'penguins', '--dataset', 'birds'],
  followChanges: ['events'],
  invite: ['invite', '--site', 'biscoe'],
  listInvitations: ['invitation', 'ls'],
  acceptInvitation: (url) => ({ words: ['accept', link(url), '--as', 'ada@example.org'], typed: 'secret\n' }),
  lookAtInvitation: (url) => ({ words: ['accept', link(url)], typed: 'Ada\nsecret\nsecret\n' }),
  revokeInvitation: ['invitation', 'revoke', 'i1'],
  getMe: ['whoami'],
  getMyNotices: ['notices'],
  putMyNotices: ['notices', '--on', 'failed'],
  changePassword: (url) => ({
    words: ['password', url],
    typed: 'ada@example.org\nold\nnew new new new\nnew new new new\n',
  }),
  listSessions: ['session', 'ls'],
  endSession: ['session', 'end', 's1'],
  listTokens: ['token', 'ls'],
  createToken: (url) => ({ words: ['login', url], typed: 'ada@example.org\nsecret\n' }),
  deleteToken: ['token', 'revoke', 't1'],
  listPeople: ['people', 'ls'],
  addPerson: () => ({ words: ['people', 'add', 'ada@example.org', 'Ada'], typed: 'a first password\n' }),
  changePerson: ['people', 'disable', 'ada@example.org'],
  resetPassword: ['people', 'reset-password', 'ada@example.org'],
  listRuns: ['run', 'ls'],
  getRun: ['run', 'show', 'penguins-1'],
  listErrors: ['run', 'errors', 'penguins-1'],
  followRun: ['run', 'watch', 'penguins-1'],
  getNodeLog: ['run', 'logs', 'penguins-1', '--node', 'central'],
  followNodeLog: ['run', 'logs', 'penguins-1', '--node', 'central', '--follow'],
  listResults: ['run', 'results', 'penguins-1'],
  downloadResult: ['run', 'results', 'penguins-1', '--out', join(folder, 'results')],
  retryRun: ['run', 'retry', 'penguins-1'],
  stopRun: ['run', 'stop', 'penguins-1'],
  getSignInWays: (url) => ({ words: ['login', url], typed: '' }),
  signIn: (url) => ({ words: ['login', url], typed: 'ada@example.org\nsecret\n' }),
  signOut: (url) => ({ words: ['login', url], typed: 'ada@example.org\nsecret\n' }),
  listSites: ['site', 'ls'],
  addSite: ['site', 'add', 'biscoe'],
  getSite: ['site', 'show', 'biscoe'],
  answerAsk: ['site', 'approve', 'penguins-1', '--site', 'biscoe'],
  listSitePeople: ['site', 'people', 'ls', 'biscoe'],
  addSitePerson: ['site', 'people', 'add', 'biscoe', 'ada@example.org'],
  removeSitePerson: ['site', 'people', 'rm', 'biscoe', 'ada@example.org'],
  revokeSite: ['site', 'revoke', 'biscoe', '--why', 'stolen'],
  listWaiting: ['waiting'],
  getReadiness: ['health'],
  listGateways: ['health'],
};

const me = {
  ...{ id: 'p1', name: 'Ada', email: 'ada@example.org', admin: false, sites: [], consortia: {} },
  ...{ mustChangePassword: false, hasPassword: true, via: 'session' },
};
const person = { ...me, createdAt: 1, signsIn: ['password'], role: 'lead' };
const FIT = '{"slope":1}';
/** What has to be answered for a command to go on to what it is about. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  listResults: {
    results: [
      {
        ...{ name: 'fit.json', size: FIT.length, url: 'https://store/fit.json' },
        sha256: createHash('sha256').update(FIT).digest('hex'),
      },
    ],
  },
  downloadResult: JSON.parse(FIT),
  getReadiness: {
    status: 'ready',
    checks: { database: 'ok', temporal: 'ok', objectStore: 'ok', centralWorker: 'ok' },
  },
  getSignInWays: { local: true },
  signIn: me,
  acceptInvitation: me,
  lookAtInvitation: { ...{ expiresAt: 1, admin: false, sites: [], consortia: {} }, by: 'Eve', resets: false },
  createToken: { id: 't1', name: 'x', scope: 'all', createdAt: 1, expiresAt: 2, token: 'muster_x' },
  getMe: me,
  getConsortium: {
    ...{ id: 'penguins', name: 'Penguins', parameters: {}, sites: [], memberships: [] },
    windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
  },
  listPeople: { people: [person] },
  listConsortiumPeople: { people: [person] },
  listSitePeople: { people: [person] },
  getSite: {
    ...{ site: { id: 'biscoe', consortia: [], presence: 'here' }, memberships: [], mayEnrol: true },
    asks: [
      {
        ...{ id: 'a'.repeat(64), runId: 'penguins-1', since: 1, dataset: 'birds', gets: '2 processors' },
        computation: { name: 'penguins', version: '1.0.0', command: ['edge'] },
      },
    ],
  },
  getRun: {
    ...{ run: runView({ state: 'running' }), nodes: [], errors: [], attempts: [], lastEventId: 3 },
    links: { page: 'http://page' },
  },
};

const server = new ContractServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
afterEach(() => jest.restoreAllMocks());
beforeEach(() => {
  server.seen.length = 0;
  server.answer = (request, response) => {
    const answer = ANSWERS[called(request) ?? ''];
    (answer === undefined ? problem(404, 'Not found') : json(200, answer))(request, response);
  };
});

/** Carries a command out in this process, which is fast. */
async function carryOut(words: string[]): Promise<void> {
  const streams = [process.stdout, process.stderr].map((one) =>
    jest.spyOn(one, 'write').mockReturnValue(true),
  );
  try {
    await createProgram().parseAsync(words, { from: 'user' });
  } catch (error) {
    // What else is answered with is no matter here.
    if (!(error instanceof ApiProblem)) throw error;
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
}

/** Carries out a command at which somebody types. */
async function typeAt(words: string[], typed: string): Promise<void> {
  const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: folder, ...asked() };
  const child = spawn(process.execPath, [CLI, ...words], { cwd: folder, env });
  child.stdin.end(typed);
  const closed = new Promise((resolve) => child.once('close', resolve));
  await Promise.all([text(child.stderr), text(child.stdout), closed]);
}

const asked = () => ({ MUSTER_API_URL: server.url, MUSTER_API_TOKEN: 'mine' });

test('each operation of people is reached, or has its place elsewhere', () => {
  const ofPeople = operations.filter(({ isOfPeople }) => isOfPeople).map(({ operationId }) => operationId);
  expect([...Object.keys(REACHED), ...Object.keys(ELSEWHERE)].sort()).toEqual(ofPeople.sort());
});

test.each(Object.entries(REACHED))('%s is called', async (operation, how) => {
  jest.replaceProperty(process, 'env', { ...process.env, ...asked() });
  if (Array.isArray(how)) await carryOut(how);
  else {
    const { words, typed } = how(server.url);
    await typeAt(words, typed);
  }
  expect(server.seen.map(called)).toContain(operation);
});

test('whatever speaks with the API answers programs too, but for the text of logs', () => {
  const leaves = (command: Command, path: string): { path: string; options: string[] }[] =>
    command.commands.length === 0
      ? [{ path, options: command.options.map(({ long }) => long ?? '') }]
      : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`));
  const asking = leaves(createProgram(), 'muster').filter(({ options }) => options.includes('--api'));
  expect(asking.length).toBeGreaterThan(50);
  expect(asking.filter(({ options }) => !options.includes('--json')).map(({ path }) => path)).toEqual([
    'muster run logs',
  ]);
});
