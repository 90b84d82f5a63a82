/** The command line as a person or a program uses it, against an API that answers as the test says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ContractServer, json, problem, type Answer } from '../support/contract-server';
import { useFolder } from '../support/folder';
import { followed, nodeView, runView } from '../support/run-pictures';

const CLI = join(__dirname, '../../dist/cli/main.js');
const folder = useFolder();
const server = new ContractServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
  server.seen.length = 0;
  routes = {};
  server.answer = (request, response) => {
    const [path = ''] = request.path.split('?');
    (routes[`${request.method} ${path}`] ?? problem(404, 'Not found'))(request, response);
  };
});
let routes: Record<string, Answer>;

async function muster(
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
) {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, XDG_CONFIG_HOME: folder, ...env },
  });
  child.stdin.end(input);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { status, stdout, stderr };
}
const as = () => ({ MUSTER_API_URL: server.url, MUSTER_API_TOKEN: 'mine' });
const file = () => join(folder, 'muster/credentials.json');

const me = {
  ...{
    id: 'p1',
    name: 'Ada',
    email: 'ada@example.org',
    admin: false,
    sites: ['biscoe'],
    consortia: { penguins: 'lead' },
  },
  ...{ mustChangePassword: false, hasPassword: true, via: 'token' },
};
const run = { ...runView({ state: 'complete' }), sites: 2 };

describe('muster login', () => {
  it('signs in by a password, keeps a token that only its owner may read, and ends it at logout', async () => {
    routes = {
      'GET /api/sign-in': json(200, { local: true }),
      'POST /api/sign-in': (request, response) => {
        response.setHeader('set-cookie', 'muster_session=s1; HttpOnly; Path=/');
        json(200, { ...me, via: 'session' })(request, response);
      },
      'POST /api/me/tokens': json(201, {
        ...{ id: 't1', name: 'x', scope: 'all', createdAt: 1, expiresAt: 2, token: 'muster_kept' },
      }),
      'POST /api/sign-out': (_request, response) => response.writeHead(204).end(),
      'GET /api/me': json(200, me),
      'DELETE /api/me/tokens/t1': (_request, response) => response.writeHead(204).end(),
    };
    const done = await muster(['login', server.url], { input: 'ada@example.org\na good password\n' });
    expect(done).toMatchObject({ status: 0, stdout: `You are Ada (ada@example.org) at ${server.url}.\n` });
    expect(done.stderr).not.toContain('a good password');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(server.seen[1]?.body).toEqual({ email: 'ada@example.org', password: 'a good password' });
    expect(server.seen[2]?.headers).toMatchObject({ cookie: 'muster_session=s1' });

    const who = await muster(['whoami']);
    expect(who.stdout).toBe(
      'Ada (ada@example.org)\n  lead of the consortium penguins\n  administrator of the site biscoe\n',
    );
    expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer muster_kept');

    expect(await muster(['logout'])).toMatchObject({ status: 0 });
    expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/api/me/tokens/t1' });
    expect(readFileSync(file(), 'utf8')).not.toContain('muster_kept');
    expect(await muster(['whoami'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('muster login') as string,
    });
  });

  it('says what to do where nobody signs in by a password', async () => {
    routes = {
      'GET /api/sign-in': json(200, { local: false, oidc: { name: 'Palmer', path: '/api/sign-in/oidc' } }),
    };
    const done = await muster(['login', server.url]);
    expect(done).toMatchObject({ status: 2, stderr: expect.stringMatching(/Palmer.*--token/) as string });
  });

  it('takes a token from standard input', async () => {
    routes = { 'GET /api/me': json(200, me) };
    expect(await muster(['login', server.url, '--token', '-'], { input: 'muster_made\n' })).toMatchObject({
      status: 0,
    });
    expect(existsSync(file())).toBe(true);
    await muster(['whoami', '--api', server.url]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 2 }, () => 'Bearer muster_made'),
    );
  });
});

describe('muster run', () => {
  it('start puts parameters over those of the consortium', async () => {
    routes = {
      'GET /api/consortia/penguins': json(200, {
        ...{
          id: 'penguins',
          name: 'Penguins',
          computation: { name: 'a', version: '1' },
          ...{ sites: [], memberships: [] },
          windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
        },
        parameters: { rounds: 1, where: 'here' },
      }),
      'POST /api/consortia/penguins/runs': json(201, { runId: 'penguins-1', page: 'http://page' }),
    };
    const done = await muster(['run', 'start', 'penguins', '-p', 'rounds=5', '-p', 'mood=good', '--json'], {
      env: as(),
    });
    expect(done).toMatchObject({ status: 0, stdout: '{"runId":"penguins-1","page":"http://page"}\n' });
    expect(server.seen.at(-1)?.body).toEqual({ parameters: { rounds: 5, where: 'here', mood: 'good' } });
  });

  it('ls reads as many pages as are asked for', async () => {
    const pages = [{ runs: [run], next: 'a' }, { runs: [run] }];
    routes = {
      'GET /api/runs': (...asked) => json(200, pages[server.seen.length - 1])(...asked),
    };
    const done = await muster(['run', 'ls', '--consortium', 'penguins', '--json'], { env: as() });
    expect(JSON.parse(done.stdout)).toMatchObject({ runs: [{ runId: run.runId }, { runId: run.runId }] });
    expect(server.seen.map(({ path }) => path)).toEqual([
      '/api/runs?consortium=penguins&limit=50',
      '/api/runs?consortium=penguins&limit=49&after=a',
    ]);
    routes = { 'GET /api/runs': json(200, { runs: [] }) };
    expect((await muster(['run', 'ls'], { env: as() })).stdout).toBe('No runs.\n');
  });

  it.each([
    [[], 0, ['[0.0 s] run running', '[0.0 s] central running', '[0.0 s] run complete']],
    [['--json'], 0, ['run', 'node', 'run']],
  ])('watch %j ends with the run, a line for each change', async (options, status, lines) => {
    const events = [
      followed({ type: 'run', data: runView({ state: 'running' }) }),
      followed({ type: 'node', data: nodeView('central', { state: 'running' }) }),
      followed({ type: 'run', data: runView({ state: 'complete' }) }),
    ].map((event, index) => `id: ${index + 1}\ndata: ${JSON.stringify({ ...event, id: index + 1 })}\n\n`);
    routes = {
      'GET /api/runs/penguins-1/events': (_request, response) =>
        response.writeHead(200).write(events.join('')),
    };
    const done = await muster(['run', 'watch', 'penguins-1', ...options], { env: as() });
    expect(done.status).toBe(status);
    const said = done.stdout.trim().split('\n');
    const shown =
      options.length === 0 ? said : said.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(shown).toEqual(lines);
    expect(done.stdout).not.toContain('\u001b');
  });
});

describe('muster run watch', () => {
  /** Shows a run under way, and stays open. */
  beforeEach(() => {
    const event = { ...followed({ type: 'run', data: runView({ state: 'running' }) }), id: 1 };
    routes = {
      'GET /api/runs/penguins-1/events': (_request, response) =>
        response.writeHead(200).write(`id: 1\ndata: ${JSON.stringify(event)}\n\n`),
    };
  });
  const env = () => ({ PATH: process.env.PATH, XDG_CONFIG_HOME: folder, ...as() });
  const closed = (child: ChildProcess) => new Promise((resolve) => child.once('close', resolve));

  it('is left by Ctrl-C, and the run is not stopped', async () => {
    const child = spawn(process.execPath, [CLI, 'run', 'watch', 'penguins-1'], { cwd: folder, env: env() });
    child.stdout.once('data', () => child.kill('SIGINT'));
    const [said, status] = await Promise.all([text(child.stderr), closed(child)]);
    expect([said, status]).toEqual([
      expect.stringMatching(/^You have left\..*run show penguins-1.*\n$/),
      130,
    ]);
    expect(server.seen.map(({ method }) => method)).toEqual(['GET']);
  });

  it('ends quietly with who reads it in a pipe', async () => {
    const line = `"${process.execPath}" "${CLI}" run watch penguins-1 | head -n 1`;
    const child = spawn('sh', ['-c', line], { cwd: folder, env: env() });
    routes['GET /api/runs/penguins-1/events'] = (_request, response) => {
      const states = Array.from({ length: 4_000 }, (_, index) => {
        const data = runView({ state: index % 2 === 0 ? 'running' : 'stopping' });
        return `id: ${index}\ndata: ${JSON.stringify({ ...followed({ type: 'run', data }), id: index })}\n\n`;
      });
      response.writeHead(200).write(states.join(''));
    };
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), closed(child)]);
    expect([out.split('\n').length, err]).toEqual([2, '']);
  });
});

describe('exit codes', () => {
  it.each<[string, Answer, number]>([
    ['is not signed in', problem(401, 'A valid access token is needed'), 3],
    ['may not', problem(403, 'The access token does not allow this'), 3],
    ['asks for what is not there', problem(404, 'Unknown run'), 1],
  ])('who %s', async (_who, answer, status) => {
    routes = { 'GET /api/runs/penguins-1': answer };
    const done = await muster(['run', 'show', 'penguins-1'], { env: as() });
    expect(done.status).toBe(status);
    expect(done.stderr).toMatch(/^error: .*\n$/);
  });

  it('an API that does not answer, and a command that is not one', async () => {
    const env = { MUSTER_API_URL: 'http://127.0.0.1:1', MUSTER_API_TOKEN: 'x' };
    expect(await muster(['run', 'ls'], { env })).toMatchObject({ status: 4 });
    expect(await muster(['run', 'fly'])).toMatchObject({ status: 2, stdout: '' });
  });
});

test('a consortium is founded and changed, and a site answers for itself', async () => {
  const view = {
    ...{ id: 'penguins', name: 'Penguins', parameters: {}, sites: [], memberships: [] },
    windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
  };
  routes = {
    'POST /api/consortia': json(201, view),
    'GET /api/consortia/penguins': (request, response) => {
      response.setHeader('etag', '"r7"');
      json(200, view)(request, response);
    },
    'PATCH /api/consortia/penguins': json(200, { ...view, name: 'Birds' }),
    'POST /api/consortia/penguins/sites/biscoe/answer': json(200, view),
  };
  const made = await muster(['consortium', 'create', 'Penguins', '--computation', 'a@1'], { env: as() });
  expect([made.status, made.stdout]).toEqual([0, expect.stringMatching(/^penguins is there/)]);
  expect(server.seen.at(-1)?.body).toEqual({ name: 'Penguins', computation: { name: 'a', version: '1' } });
  const changed = await muster(['consortium', 'edit', 'penguins', '--name', 'Birds', '--archive'], {
    env: as(),
  });
  expect(changed.stdout).toMatch(/^penguins {2}Birds\n/);
  expect(server.seen.at(-1)).toMatchObject({
    body: { name: 'Birds', archived: true },
    headers: { 'if-match': '"r7"' },
  });
  expect(await muster(['consortium', 'edit', 'penguins'], { env: as() })).toMatchObject({ status: 2 });
  await muster(['site', 'answer', 'biscoe', 'penguins', '--dataset', 'birds'], { env: as() });
  expect(server.seen.at(-1)?.body).toEqual({ accept: true, dataset: 'birds' });
  expect(await muster(['site', 'answer', 'biscoe', 'penguins'], { env: as() })).toMatchObject({ status: 2 });
});

test('people are invited to what they are to do', async () => {
  routes = {
    'POST /api/invitations': json(201, { id: 'i1', link: 'http://x/invitation#c', code: 'c', expiresAt: 0 }),
  };
  const done = await muster(
    ['invite', 'ada@example.org', '--consortium', 'penguins=lead', '--site', 'biscoe'],
    { env: as() },
  );
  expect(done.stdout).toMatch(/^http:\/\/x\/invitation#c\n/);
  expect(server.seen.at(-1)?.body).toEqual({
    ...{ email: 'ada@example.org', admin: false, consortia: { penguins: 'lead' }, sites: ['biscoe'] },
  });
  expect(await muster(['invite', 'ada@example.org'], { env: as() })).toMatchObject({ status: 2 });
});

test('what somebody else has changed meanwhile is left alone', async () => {
  const view = {
    ...{ id: 'penguins', name: 'Penguins', parameters: {}, sites: [], memberships: [] },
    windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
  };
  routes = {
    'GET /api/consortia/penguins': json(200, view),
    'PATCH /api/consortia/penguins': problem(412, 'It was changed meanwhile', {
      type: 'urn:muster:problem:changed-meanwhile',
    }),
  };
  const done = await muster(['consortium', 'edit', 'penguins', '--name', 'Birds'], { env: as() });
  expect(done).toMatchObject({ status: 1, stdout: '' });
  expect(done.stderr).toMatch(
    /^error: Somebody else changed penguins meanwhile.*muster consortium show penguins.*\n$/,
  );
});

describe('muster health', () => {
  const at = Date.UTC(2026, 10, 28, 9, 30);
  const gateway = (name: string, presence: string, silentMs: number) => ({
    ...{ name, presence, seenAt: at - silentMs },
  });
  const checks = { database: 'ok', temporal: 'ok', objectStore: 'ok', centralWorker: 'failed' };
  beforeEach(() => {
    routes = { 'GET /readyz': json(200, { status: 'ready', checks }) };
  });

  it('says of each gateway whether it is up, is not, or that nobody knows', async () => {
    const gateways = [
      gateway('centre-1:7410', 'here', 1_900),
      gateway('centre-2:7410', 'away', 60_000),
      gateway('new:1', 'unknown', 1_800_000),
    ];
    routes['GET /api/gateways'] = json(200, { gateways, at });
    const { status, stdout } = await muster(['health'], { env: as() });
    expect([status, stdout.split('\n')]).toEqual([
      0,
      [
        'database               ok',
        'temporal               ok',
        'objectStore            ok',
        'centralWorker          failed',
        'gateway centre-1:7410  ok, asked 2 s ago',
        'gateway centre-2:7410  not heard of since 2026-11-28T09:29:00.000Z',
        'gateway new:1          not known yet, heard of last at 2026-11-28T09:00:00.000Z',
        '',
      ],
    ]);
    const told: unknown = JSON.parse((await muster(['health', '--json'], { env: as() })).stdout);
    expect(told).toEqual({ status: 'ready', checks, gateways });
  });

  it('says that it has heard of none, or why it does not show them', async () => {
    routes['GET /api/gateways'] = json(200, { gateways: [], at });
    expect((await muster(['health'], { env: as() })).stdout).toMatch(/^gateways +none has been heard of$/m);
    routes['GET /api/gateways'] = problem(403, 'Forbidden', { detail: 'This is for admins; Ada is not.' });
    const { status, stdout } = await muster(['health'], { env: as() });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^centralWorker +failed$/m);
    expect(stdout).toMatch(/^gateways +not shown: This is for admins; Ada is not\.$/m);
  });
});

describe('muster consortium notices', () => {
  const notice = {
    ...{ id: 'chat', kind: 'webhook', url: 'https://example.org/hook', on: ['failed', 'waiting'] },
    ...{ createdBy: 'Ada', createdAt: 1, deliveries: [] },
  };
  const args = ['consortium', 'notices', 'webhook', 'penguins', 'chat', 'https://example.org/hook'];

  it('webhook prints the secret alone, once', async () => {
    const path = 'PUT /api/consortia/penguins/notices/chat';
    routes = { [path]: json(200, { notice, secret: 'whsec_x' }) };
    const made = await muster([...args, '--on', 'failed,waiting'], { env: as() });
    expect(made).toMatchObject({ status: 0, stdout: 'whsec_x\n' });
    expect(made.stderr).toContain('is not shown again');
    expect(server.seen.at(-1)?.body).toEqual({
      ...{ kind: 'webhook', url: 'https://example.org/hook', on: ['failed', 'waiting'] },
    });

    routes = { [path]: json(200, { notice }) };
    const changed = await muster(args, { env: as() });
    expect(changed.stdout).toMatch(/^chat is told of runs of penguins that are finished, failed, waiting/);
    await muster([...args, '--new-secret'], { env: as() });
    expect(server.seen.at(-1)?.path).toMatch(/renewSecret=true$/);
  });

  it('tells what it may be told of', async () => {
    const done = await muster([...args, '--on', 'begun'], { env: as() });
    expect(done).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('finished, failed, waiting') as string,
    });
    expect(server.seen).toEqual([]);
  });
});

describe('a run that waits for a site, from elsewhere', () => {
  const id = 'a'.repeat(64);
  const ask = {
    ...{ id, runId: 'penguins-1', since: 1, dataset: 'birds', gets: '2 processors' },
    computation: { name: 'penguins', version: '1.0.0', command: ['edge'] },
  };
  const detail = (...asks: object[]) => ({
    ...{ site: { id: 'biscoe', consortia: [], presence: 'here' }, memberships: [], asks, mayEnrol: true },
  });
  beforeEach(() => {
    routes = {
      'GET /api/sites/biscoe': json(200, detail(ask)),
      [`POST /api/sites/biscoe/asks/${id}/answer`]: (request, response) =>
        json(200, { ...(request.body as object), by: 'ada', at: 1 })(request, response),
    };
  });

  it('is approved or refused by its request', async () => {
    const done = await muster(['site', 'approve', 'penguins-1', '--site', 'biscoe'], { env: as() });
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('aaaaaaaa') as string });
    expect(server.seen.at(-1)?.body).toEqual({ verdict: 'approved' });
    await muster(['site', 'refuse', 'penguins-1', '--site', 'biscoe', '--why', 'not now'], { env: as() });
    expect(server.seen.at(-1)?.body).toEqual({ verdict: 'refused', why: 'not now' });
  });

  it('is not answered where it has made several requests, or the site takes no answers from there', async () => {
    routes['GET /api/sites/biscoe'] = json(200, detail(ask, { ...ask, id: 'b'.repeat(64) }));
    const words = ['site', 'approve', 'penguins-1', '--site', 'biscoe'];
    expect(await muster(words, { env: as() })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('aaaaaaaa, bbbbbbbb') as string,
    });
    routes[`POST /api/sites/biscoe/asks/${id}/answer`] = problem(409, 'Not here', { detail: 'At the site.' });
    expect(await muster([...words, '--request', 'aaaaaaaa'], { env: as() })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('At the site.') as string,
    });
  });

  it('is looked for either there or at this machine', async () => {
    for (const place of [
      ['--site', 'biscoe', '--state', folder],
      ['--api', server.url],
    ])
      expect(await muster(['site', 'approvals', ...place], { env: as() })).toMatchObject({ status: 2 });
    expect(server.seen).toEqual([]);
  });
});

test('one’s own notices are shown and changed', async () => {
  routes = {
    'GET /api/me/notices': json(200, { on: [], noMailServer: true }),
    'PUT /api/me/notices': (request, response) =>
      json(200, { ...(request.body as object), noMailServer: true })(request, response),
  };
  expect((await muster(['notices'], { env: as() })).stdout).toBe('You get no mail.\n');
  expect((await muster(['notices', '--on', 'failed'], { env: as() })).stdout).toMatch(
    /^You get mail of: failed\.\nNo mail gets out: /,
  );
  expect((await muster(['notices', '--off', '--json'], { env: as() })).stdout).toBe(
    '{"on":[],"noMailServer":true}\n',
  );
  expect(await muster(['notices', '--off', '--on', 'failed'], { env: as() })).toMatchObject({ status: 2 });
});

describe('muster accept', () => {
  const signedIn: Answer = (request, response) => {
    response.setHeader('set-cookie', 'muster_session=s1; HttpOnly; Path=/');
    json(200, { ...me, via: 'session' })(request, response);
  };
  beforeEach(() => {
    routes = {
      'POST /api/invitations/look': json(200, {
        ...{ expiresAt: 2, admin: false, sites: [], consortia: { penguins: 'lead' }, by: 'Eve' },
        ...{ email: 'ada@example.org', resets: false },
      }),
      'POST /api/invitations/accept': signedIn,
      'POST /api/sign-in': signedIn,
      'POST /api/me/tokens': json(201, {
        ...{ id: 't1', name: 'x', scope: 'all', createdAt: 1, expiresAt: 2, token: 'muster_kept' },
      }),
      'POST /api/sign-out': (_request, response) => response.writeHead(204).end(),
    };
  });
  const link = () => `${server.url}/invitation#a%2Fb`;
  const body = (path: string) => server.seen.find((one) => one.path === path)?.body;

  it('makes an account, says what it gives, and goes on by a token', async () => {
    const typed = 'Ada\na good password\na good password\n';
    const done = await muster(['accept', link()], { input: typed });
    expect(done).toMatchObject({ status: 0, stdout: `You are Ada (ada@example.org) at ${server.url}.\n` });
    expect(done.stderr).toContain('be lead of the consortium penguins');
    expect(done.stderr).not.toContain('a good password');
    expect(body('/api/invitations/accept')).toEqual({
      ...{ code: 'a/b', name: 'Ada', password: 'a good password' },
    });
    expect(readFileSync(file(), 'utf8')).toContain('muster_kept');
  });

  it('gives more to an account that is there', async () => {
    await muster(['accept', link(), '--as', 'ada@example.org'], { input: 'a good password\n' });
    expect(body('/api/sign-in')).toEqual({ email: 'ada@example.org', password: 'a good password' });
    expect(body('/api/invitations/accept')).toEqual({ code: 'a/b' });
  });

  it('takes no password that was mistyped, and no other address', async () => {
    const typed = 'Ada\na good password\na goof password\n';
    expect(await muster(['accept', link()], { input: typed })).toMatchObject({ status: 2 });
    expect(body('/api/invitations/accept')).toBeUndefined();
    expect(await muster(['accept', server.url])).toMatchObject({ status: 2 });
  });
});
