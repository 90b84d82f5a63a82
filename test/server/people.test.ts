/** People: how they get accounts, sign in, and what ends it. */
import { PGlite } from '@electric-sql/pglite';
import type { FastifyInstance } from 'fastify';
import { inviteFirstAdmin } from '../../server/people/invitations';
import { people as peopleTable } from '../../server/db/schema';
import { eq } from 'drizzle-orm';
import {
  Invitation,
  InvitationList,
  Me,
  NewToken,
  PersonList,
  PersonView,
  SessionList,
  TokenList,
} from '../../workflows/people-contract';
import { register } from './scenes';
import {
  admin,
  lead,
  person,
  problemOf,
  PUBLIC_URL,
  SECRET,
  tokenFor,
  useServer,
  type Bearer,
} from './server';

const PASSWORD = 'correct horse battery';
const ANOTHER = 'staple correct horse';
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

describe('people', () => {
  const server = useServer();
  beforeAll(() => register(server, 'penguins'));

  interface Ask {
    cookie?: string;
    body?: object;
    headers?: Record<string, string>;
    remoteAddress?: string;
    app?: FastifyInstance;
  }
  /** As a browser asks that shows this cookie. */
  function ask(
    what: string,
    { cookie, body, headers = OWN_PAGE, remoteAddress, app = server.app }: Ask = {},
  ) {
    const [method, url = ''] = what.split(' ');
    return app.inject({
      ...{ method: method as 'GET', url, headers: { ...headers, ...(cookie && { cookie }) } },
      ...(body && { payload: body }),
      ...(remoteAddress && { remoteAddress }),
    });
  }
  const cookieOf = (answer: { headers: Record<string, unknown> }) =>
    /^muster_session=[^;]+/.exec(String(answer.headers['set-cookie']))?.[0] ?? '';
  async function invite(body: object, as: Bearer = admin): Promise<Invitation> {
    const answer = await server.call('POST /api/invitations', { as, body });
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([201, 'no-store']);
    return Invitation.parse(answer.json());
  }
  /** Somebody who accepts an invitation; answers their cookie. */
  async function join(email: string, grants: object = {}, as: Bearer = admin): Promise<string> {
    const { code } = await invite({ email, ...grants }, as);
    const body = { code, name: email.split('@')[0], password: PASSWORD };
    const answer = await ask('POST /api/invitations/accept', { body });
    expect([answer.statusCode, Me.parse(answer.json()).email]).toEqual([200, email]);
    return cookieOf(answer);
  }
  const me = async (cookie: string) => Me.parse((await ask('GET /api/me', { cookie })).json());
  const signIn = (email: string, password: string, remoteAddress = '192.0.2.1') =>
    ask('POST /api/sign-in', { body: { email, password }, remoteAddress });
  const idOf = async (email: string) =>
    PersonList.parse((await server.call('GET /api/people?limit=500')).json()).people.find(
      (one) => one.email === email,
    )?.id ?? '';

  describe('are invited', () => {
    it('by a link whose code nothing is sent of, and is signed in by it', async () => {
      const { link, code } = await invite({ email: 'Ada@Example.org', consortia: { penguins: 'lead' } });
      expect(link).toBe(`${PUBLIC_URL}/invitation#${code}`);
      const look = await ask('POST /api/invitations/look', { body: { code } });
      expect(look.json()).toMatchObject({ email: 'ada@example.org', consortia: { penguins: 'lead' } });
      const body = { code, name: 'Ada', password: PASSWORD };
      const answer = await ask('POST /api/invitations/accept', { body });
      expect(answer.json()).toMatchObject({ name: 'Ada', consortia: { penguins: 'lead' }, via: 'session' });
      expect(answer.headers['set-cookie']).toMatch(
        /^muster_session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax; Secure$/,
      );
      const started = await ask('POST /api/consortia/penguins/runs', {
        ...{ cookie: cookieOf(answer), body: {} },
      });
      expect(started.statusCode).toBe(201);
      // Once, and nobody is told more of it.
      for (const [what, sent] of [
        ['look', { code }],
        ['accept', body],
      ] as const)
        expect(problemOf(await ask(`POST /api/invitations/${what}`, { body: sent })).type).toMatch(
          /invalid-invitation$/,
        );
      expect(server.log).not.toContain(code);
    });

    it('with a name, an address and a password of some length', async () => {
      const { code } = await invite({});
      for (const [body, pointer] of [
        [{ code, name: 'X', email: 'x@example.org' }, '/password'],
        [{ code, name: 'X', password: PASSWORD }, '/email'],
        [{ code, email: 'x@example.org', password: PASSWORD }, '/name'],
        [{ code, name: 'X', email: 'x@example.org', password: 'too short' }, '/password'],
      ] as const)
        expect(problemOf(await ask('POST /api/invitations/accept', { body }))).toMatchObject({
          ...{ status: 400, errors: [{ pointer }] },
        });
      const invited = await invite({ email: 'y@example.org' });
      const other = { code: invited.code, name: 'X', email: 'x@example.org', password: PASSWORD };
      expect(problemOf(await ask('POST /api/invitations/accept', { body: other })).status).toBe(400);
    });

    it('to more, who have an account already; nothing is taken away', async () => {
      const cookie = await join('grown@example.org', { consortia: { penguins: 'lead' } });
      const { code } = await invite({ consortia: { penguins: 'viewer' }, sites: ['alpha'] });
      await ask('POST /api/invitations/accept', { cookie, body: { code } });
      expect(await me(cookie)).toMatchObject({ consortia: { penguins: 'lead' }, sites: ['alpha'] });
      const { code: others } = await invite({ email: 'somebody@example.org' });
      const refused = await ask('POST /api/invitations/accept', { cookie, body: { code: others } });
      expect(problemOf(refused).status).toBe(403);
      const { code: again } = await invite({});
      const body = { code: again, name: 'X', email: 'grown@example.org', password: PASSWORD };
      expect(problemOf(await ask('POST /api/invitations/accept', { body })).type).toMatch(/account-exists$/);
    });

    it('by leads to what they lead, by administrators of a site to that, and no further', async () => {
      await register(server, 'seals');
      const tries: [Bearer, object, number][] = [
        [lead('penguins'), { consortia: { penguins: 'member' } }, 201],
        [lead('penguins'), { consortia: { seals: 'member' } }, 403],
        [lead('penguins'), { admin: true }, 403],
        [
          person('m@example.org', { consortia: { penguins: 'member' } }),
          { consortia: { penguins: 'viewer' } },
          403,
        ],
        [person('s@example.org', { sites: ['beta'] }), { sites: ['beta'] }, 201],
        [person('s@example.org', { sites: ['beta'] }), { sites: ['alpha'] }, 403],
        [admin, { consortia: { unknown: 'lead' } }, 404],
      ];
      for (const [as, body, status] of tries) {
        const { statusCode } = await server.call('POST /api/invitations', { as, body });
        expect([body, statusCode]).toEqual([body, status]);
      }
    });

    it('to a thousand sites by as few questions to the database as to one', async () => {
      const client: unknown = Reflect.get(server.db, '$client');
      if (!(client instanceof PGlite)) throw new Error('It is not the embedded database.');
      const asked = jest.spyOn(client, 'query');
      const inviting = async (sites: string[]) => {
        asked.mockClear();
        const invitation = await invite({ sites }, person('many@example.org'));
        const about = asked.mock.calls.filter(([query]) =>
          /site_people|site_enrolments|memberships/.test(query),
        );
        return { ...invitation, questions: about.length };
      };
      const many = Array.from({ length: 1000 }, (_, index) => `many-${index}`);
      const one = await inviting(['many-0']);
      expect(one.questions).toBeGreaterThan(0);
      const all = await inviting(many);
      expect(all.questions).toBe(one.questions);
      asked.mockRestore();

      const cookie = await join('thousand@example.org');
      const granted = await invite({ sites: [...many, 'many-0'].slice(1) });
      await ask('POST /api/invitations/accept', { cookie, body: { code: granted.code } });
      expect((await me(cookie)).sites).toHaveLength(1000);
    });

    it('as long as whoever invites them may still do so, and does not take it back', async () => {
      const founder = person('founder@example.org', { consortia: { penguins: 'lead' } });
      const { code } = await invite({ consortia: { penguins: 'lead' } }, founder);
      await server.tokenOf(person('founder@example.org'));
      const look = await ask('POST /api/invitations/look', { body: { code } });
      expect(problemOf(look).type).toMatch(/invalid-invitation$/);
      const taken = await invite({});
      expect((await server.call(`DELETE /api/invitations/${taken.id}`, { as: founder })).statusCode).toBe(
        404,
      );
      expect((await server.call(`DELETE /api/invitations/${taken.id}`)).statusCode).toBe(204);
      expect((await ask('POST /api/invitations/look', { body: { code: taken.code } })).statusCode).toBe(403);
      const own = InvitationList.parse((await server.call('GET /api/invitations', { as: founder })).json());
      expect(own.invitations.map(({ createdBy }) => createdBy)).toEqual(['founder@example.org']);
    });

    it('by the server itself while nobody is an admin, and then no more', async () => {
      await server.db.update(peopleTable).set({ admin: false });
      const before = await inviteFirstAdmin(server.db);
      const first = await inviteFirstAdmin(server.db);
      const body = { code: first?.code, name: 'First', email: 'first@example.org', password: PASSWORD };
      const outdated = await ask('POST /api/invitations/accept', { body: { ...body, code: before?.code } });
      expect(outdated.statusCode).toBe(403);
      expect((await ask('POST /api/invitations/accept', { body })).json()).toMatchObject({ admin: true });
      expect(await inviteFirstAdmin(server.db)).toBeUndefined();
    });
  });

  describe('sign in', () => {
    it('by a password, and are told in the same words whatever is wrong', async () => {
      await join('bo@example.org');
      expect((await signIn('BO@example.org', PASSWORD)).json()).toMatchObject({ email: 'bo@example.org' });
      const wrong = await signIn('bo@example.org', ANOTHER);
      const unknown = await signIn('nobody@example.org', ANOTHER);
      expect([wrong.statusCode, wrong.json()]).toEqual([401, unknown.json()]);
    });

    it('not at once after many wrong ones, also with the right one', async () => {
      await join('locked@example.org');
      for (let i = 0; i < 5; i++)
        expect((await signIn('locked@example.org', ANOTHER, `192.0.2.${i}`)).statusCode).toBe(401);
      const answer = await signIn('locked@example.org', PASSWORD, '192.0.2.9');
      expect([answer.statusCode, problemOf(answer).detail]).toEqual([
        401,
        problemOf(await signIn('nobody@example.org', PASSWORD, '192.0.2.9')).detail,
      ]);
      await server.db
        .update(peopleTable)
        .set({ lockedUntil: Date.now() - 1 })
        .where(eq(peopleTable.email, 'locked@example.org'));
      expect((await signIn('locked@example.org', PASSWORD, '192.0.2.9')).statusCode).toBe(200);
    });

    it('not from an address that has tried too often, whoever they say that they are', async () => {
      const answers = [];
      for (let i = 0; i < 25; i++)
        answers.push((await signIn(`who-${i}@example.org`, ANOTHER, '192.0.2.77')).statusCode);
      expect(answers.slice(0, 20)).toEqual(Array(20).fill(401));
      expect(answers.at(-1)).toBe(429);
    });

    it("by an operator's token, for as long as that is good", async () => {
      const token = await tokenFor(admin, SECRET, '5m');
      const headers = { ...OWN_PAGE, authorization: `Bearer ${token}` };
      const answer = await ask('POST /api/session', { headers });
      const cookie = cookieOf(answer);
      expect(await me(cookie)).toMatchObject({ name: 'admin@example.org', admin: true, via: 'session' });
      const [session] = SessionList.parse((await ask('GET /api/me/sessions', { cookie })).json()).sessions;
      expect(session?.expiresAt).toBeLessThanOrEqual(Date.now() + 300_000);
      const personal = await server.tokenOf(person('root@example.org', { admin: true }));
      const refused = await ask('POST /api/session', { headers: { authorization: `Bearer ${personal}` } });
      expect(refused.statusCode).toBe(403);
    });

    it('with a first password that somebody else chose, and choose another before anything else', async () => {
      const body = { name: 'Cy', email: 'cy@example.org', password: PASSWORD };
      expect(PersonView.parse((await server.call('POST /api/people', { body })).json()).email).toBe(
        body.email,
      );
      const cookie = cookieOf(await signIn('cy@example.org', PASSWORD));
      expect((await me(cookie)).mustChangePassword).toBe(true);
      expect(problemOf(await ask('GET /api/runs', { cookie })).type).toMatch(/password-change-needed$/);
      const change = (current: string, next: string) =>
        ask('PUT /api/me/password', { cookie, body: { current, next } });
      expect((await change(ANOTHER, ANOTHER)).statusCode).toBe(403);
      expect((await change(PASSWORD, PASSWORD)).statusCode).toBe(400);
      expect((await change(PASSWORD, ANOTHER)).statusCode).toBe(204);
      expect((await ask('GET /api/runs', { cookie })).statusCode).toBe(200);
    });
  });

  describe('are signed in', () => {
    it('where they see, and until they sign out', async () => {
      const first = await join('dee@example.org');
      const second = cookieOf(await signIn('dee@example.org', PASSWORD));
      const list = async (cookie: string) =>
        SessionList.parse((await ask('GET /api/me/sessions', { cookie })).json()).sessions;
      const sessions = await list(second);
      expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);
      const other = sessions.find(({ current }) => !current)?.id ?? '';
      expect((await ask(`DELETE /api/me/sessions/${other}`, { cookie: second })).statusCode).toBe(204);
      expect((await ask('GET /api/me', { cookie: first })).statusCode).toBe(401);
      const out = await ask('POST /api/sign-out', { cookie: second });
      expect(out.headers['set-cookie']).toMatch(/^muster_session=; Path=\/; Max-Age=0;/);
      expect((await ask('GET /api/me', { cookie: second })).statusCode).toBe(401);
    });

    it('and pages at other addresses change nothing by it', async () => {
      const cookie = await join('eve@example.org', { consortia: { penguins: 'lead' } });
      const start = async (headers: Record<string, string>) =>
        (await ask('POST /api/consortia/penguins/runs', { cookie, headers, body: {} })).statusCode;
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'none' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site', origin: PUBLIC_URL },
        {},
      ])
        expect([headers, await start(headers)]).toEqual([headers, 403]);
      for (const headers of [OWN_PAGE, { origin: PUBLIC_URL }]) expect(await start(headers)).toBe(201);
      const foreign = {
        body: { email: 'eve@example.org', password: PASSWORD },
        headers: { origin: 'https://evil.example' },
      };
      expect((await ask('POST /api/sign-in', foreign)).statusCode).toBe(403);
    });

    it('until their account is disabled, which ends tokens and links too', async () => {
      const cookie = await join('flo@example.org', { consortia: { penguins: 'lead' } });
      const expiresAt = Date.now() + 60_000;
      const made = await ask('POST /api/me/tokens', {
        cookie,
        body: { name: 'ci', scope: 'read', expiresAt },
      });
      const authorization = `Bearer ${NewToken.parse(made.json()).token}`;
      const { code } = Invitation.parse(
        (await ask('POST /api/invitations', { cookie, body: { consortia: { penguins: 'viewer' } } })).json(),
      );
      const path = `/api/people/${await idOf('flo@example.org')}`;
      expect((await server.call(`PATCH ${path}`, { body: { disabled: true } })).statusCode).toBe(200);
      expect((await ask('GET /api/me', { cookie })).statusCode).toBe(401);
      expect((await ask('GET /api/me', { headers: { authorization } })).statusCode).toBe(401);
      expect((await ask('POST /api/invitations/look', { body: { code } })).statusCode).toBe(403);
      expect((await signIn('flo@example.org', PASSWORD)).statusCode).toBe(401);
      await server.call(`PATCH ${path}`, { body: { disabled: false } });
      expect((await ask('GET /api/me', { cookie })).statusCode).toBe(401);
      expect((await signIn('flo@example.org', PASSWORD)).statusCode).toBe(200);
    });

    it('and what they listen to ends when they may not hear it any more', async () => {
      const url = await (await server.startReplica()).listen({ host: '127.0.0.1', port: 0 });
      const viewer = person('listener@example.org', { consortia: { penguins: 'viewer' } });
      const { runId } = (await server.call('POST /api/consortia/penguins/runs', { body: {} })).json<{
        runId: string;
      }>();
      const headers = { authorization: `Bearer ${await server.tokenOf(viewer)}` };
      const stream = await fetch(`${url}/api/runs/${runId}/events`, { headers });
      expect(stream.status).toBe(200);
      await server.tokenOf(person('listener@example.org'));
      expect(await stream.text()).toContain('CentralClientStartRun');
      expect((await fetch(`${url}/api/runs/${runId}/events`, { headers })).status).toBe(403);
    });

    it('until an admin lets them set their password anew', async () => {
      const cookie = await join('gus@example.org');
      const id = await idOf('gus@example.org');
      const { code } = Invitation.parse((await server.call(`POST /api/people/${id}/reset`)).json());
      expect((await ask('GET /api/me', { cookie })).statusCode).toBe(200);
      const answer = await ask('POST /api/invitations/accept', { body: { code, password: ANOTHER } });
      expect(await me(cookieOf(answer))).toMatchObject({ email: 'gus@example.org' });
      expect((await ask('GET /api/me', { cookie })).statusCode).toBe(401);
      expect((await signIn('gus@example.org', PASSWORD)).statusCode).toBe(401);
      expect((await signIn('gus@example.org', ANOTHER)).statusCode).toBe(200);
    });

    it('not by the link of somebody who is no admin any more', async () => {
      await join('ida@example.org');
      const id = await idOf('ida@example.org');
      const former = person('former@example.org', { admin: true });
      const { code } = Invitation.parse(
        (await server.call(`POST /api/people/${id}/reset`, { as: former })).json(),
      );
      await server.tokenOf(person('former@example.org'));
      const answer = await ask('POST /api/invitations/accept', { body: { code, password: ANOTHER } });
      expect(answer.statusCode).toBe(403);
    });
  });

  describe('have tokens for programs', () => {
    it('that are shown once, reach as far as they say, and end', async () => {
      const cookie = await join('hal@example.org', { consortia: { penguins: 'lead' } });
      const make = async (scope: string) => {
        const body = { name: scope, scope, expiresAt: Date.now() + 60_000 };
        return NewToken.parse((await ask('POST /api/me/tokens', { cookie, body })).json());
      };
      const [read, run, all] = [await make('read'), await make('run'), await make('all')];
      expect(read.token).toMatch(/^muster_[\w-]{43}$/);
      const by = async (what: string, { token }: { token: string }, body?: object) =>
        (await ask(what, { headers: { authorization: `Bearer ${token}` }, ...(body && { body }) }))
          .statusCode;
      for (const token of [read, run, all]) expect(await by('GET /api/runs', token)).toBe(200);
      const start = 'POST /api/consortia/penguins/runs';
      expect([await by(start, read, {}), await by(start, run, {}), await by(start, all, {})]).toEqual([
        403, 201, 201,
      ]);
      const grants = { consortia: { penguins: 'viewer' } };
      const invites = await Promise.all(
        [run, all].map((token) => by('POST /api/invitations', token, grants)),
      );
      expect(invites).toEqual([403, 201]);
      // Whoever finds one gets no other by it.
      const more = { name: 'x', scope: 'all', expiresAt: Date.now() + 60_000 };
      expect(await by('POST /api/me/tokens', all, more)).toBe(403);
      expect(await by('PUT /api/me/password', all, { current: PASSWORD, next: ANOTHER })).toBe(403);
      const listed = TokenList.parse((await ask('GET /api/me/tokens', { cookie })).json()).tokens;
      expect(JSON.stringify(listed)).not.toContain(read.token);
      expect(listed.every(({ usedAt }) => usedAt !== undefined)).toBe(true);
      expect((await ask(`DELETE /api/me/tokens/${all.id}`, { cookie })).statusCode).toBe(204);
      expect(await by('GET /api/runs', all)).toBe(401);
      const forever = { ...more, expiresAt: Date.now() + 500 * 86_400_000 };
      expect((await ask('POST /api/me/tokens', { cookie, body: forever })).statusCode).toBe(400);
    });
  });

  describe('belong to consortia and sites', () => {
    it('as their leads and administrators say; somebody is left to lead', async () => {
      await register(server, 'auks');
      const boss = await join('ivy@example.org', { consortia: { auks: 'lead' } });
      await join('jo@example.org', { consortia: { auks: 'viewer' } });
      const [ivy, jo] = [await idOf('ivy@example.org'), await idOf('jo@example.org')];
      const put = async (id: string, role: string, cookie = boss) =>
        (await ask(`PUT /api/consortia/auks/people/${id}`, { cookie, body: { role } })).statusCode;
      expect(await put(ivy, 'member')).toBe(409);
      expect(await put(jo, 'lead')).toBe(204);
      expect((await ask(`DELETE /api/consortia/auks/people/${ivy}`, { cookie: boss })).statusCode).toBe(204);
      expect(await put(ivy, 'lead')).toBe(403);
      expect((await server.call('GET /api/consortia/auks/people')).json()).toEqual({
        people: [{ id: jo, name: 'jo', email: 'jo@example.org', role: 'lead' }],
      });
      expect((await server.call(`PUT /api/sites/alpha/people/${ivy}`)).statusCode).toBe(204);
      const tended = await ask(`PUT /api/sites/alpha/people/${jo}`, { cookie: boss });
      expect(tended.statusCode).toBe(204);
      expect((await server.call(`PUT /api/sites/alpha/people/nobody`)).statusCode).toBe(404);
      const { people } = (await ask('GET /api/sites/alpha/people', { cookie: boss })).json<{
        people: { id: string }[];
      }>();
      expect(people.map(({ id }) => id)).toEqual(expect.arrayContaining([ivy, jo]));
    });

    it('and one of them stays an admin', async () => {
      await server.db.update(peopleTable).set({ admin: false });
      const root = await join('root2@example.org', { admin: true });
      const id = await idOf('root2@example.org');
      for (const body of [{ admin: false }, { disabled: true }])
        expect(problemOf(await ask(`PATCH /api/people/${id}`, { cookie: root, body })).type).toMatch(
          /last-admin$/,
        );
      expect((await me(root)).admin).toBe(true);
    });
  });
});
