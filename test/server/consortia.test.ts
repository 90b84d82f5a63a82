/** Consortia that people make: who may change what of them, and how sites come into them. */
import { ConsortiumList, ConsortiumView } from '../../workflows/api-contract';
import { ConsortiumChanges } from '../../workflows/consortium-contract';
import { register, start } from './scenes';
import { describeOnEachDatabase } from './databases';
import { admin, callOn, lead, person, problemOf, useServer, type Bearer } from './server';

const founder = person('ann@example.org');
const PENGUINS = { name: 'example', version: '1.0.0' };
const TUNED = { name: 'tuned', version: '1' };

describeOnEachDatabase('consortia that people make', (kind) => {
  const server = useServer(kind);
  const call = (what: string, as: Bearer, body?: object, headers: Record<string, string> = {}) =>
    server.call(what, { as, body, headers });
  async function made(body: object, as: Bearer = founder): Promise<ConsortiumView> {
    const answer = await call('POST /api/consortia', as, body);
    expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
    return ConsortiumView.parse(answer.json());
  }
  async function seen(id: string, as: Bearer = admin) {
    const answer = await call(`GET /api/consortia/${id}`, as);
    expect(answer.statusCode).toBe(200);
    return { view: ConsortiumView.parse(answer.json()), tag: String(answer.headers.etag) };
  }
  async function patched(id: string, body: object, as: Bearer = lead(id)) {
    const { tag } = await seen(id);
    return call(`PATCH /api/consortia/${id}`, as, body, { 'if-match': tag });
  }
  const alphaAdmin = person('al@alpha.example.org', { sites: ['alpha'] });
  const betaAdmin = person('bo@beta.example.org', { sites: ['beta'] });

  beforeAll(async () => {
    await register(server, 'given');
    const parameters = {
      type: 'object',
      required: ['rounds'],
      properties: { rounds: { type: 'integer' }, password: { type: 'string', writeOnly: true } },
    };
    await server.call('POST /api/computations', { body: { ...TUNED, parameters } });
    await server.call('POST /api/computations', { body: { ...TUNED, version: '2', parameters } });
    // So that there are these sites.
    for (const who of [alphaAdmin, betaAdmin]) await server.tokenOf(who);
  });

  it('belong to who makes them, and get an id of their name', async () => {
    const view = await made({ name: 'Größe & Gehirn', description: 'How large is it?' });
    expect(view).toEqual({
      ...{ id: 'gro-e-gehirn', name: 'Größe & Gehirn', description: 'How large is it?' },
      ...{ parameters: {}, sites: [], memberships: [] },
      windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
    });
    const { id: second } = await made({ name: 'Größe & Gehirn' });
    expect(second).toMatch(/^gro-e-gehirn-[0-9a-f]{6}$/);
    const mine = await call(
      'GET /api/consortia',
      person('ann@example.org', { consortia: { [view.id]: 'lead' } }),
    );
    expect(ConsortiumList.parse(mine.json()).consortia.map(({ id }) => id)).toEqual([view.id]);
    expect(problemOf(await call('POST /api/consortia', founder, { id: view.id, name: 'x' }))).toMatchObject({
      ...{ status: 409, type: 'urn:muster:problem:consortium-exists' },
    });
  });

  it('are led by who founded them, with the very next request', async () => {
    const token = await server.tokenOf(founder);
    const inject = (method: 'POST' | 'DELETE', url: string, payload?: object) =>
      server.app.inject({
        ...{ method, url, headers: { authorization: `Bearer ${token}` } },
        ...(payload && { payload }),
      });
    expect((await inject('POST', '/api/consortia', { id: 'fresh', name: 'Fresh' })).statusCode).toBe(201);
    expect((await inject('POST', '/api/consortia/fresh/sites', { siteId: 'alpha' })).statusCode).toBe(200);
    expect((await inject('DELETE', '/api/consortia/given')).statusCode).toBe(403);
  });

  it('are changed by who has seen what they change', async () => {
    await made({ id: 'edited', name: 'Edited' });
    const url = 'PATCH /api/consortia/edited';
    expect(problemOf(await call(url, lead('edited'), { name: 'X' })).status).toBe(428);
    const { tag } = await seen('edited');
    const first = await call(
      url,
      lead('edited'),
      { name: 'First', description: 'Once' },
      { 'if-match': tag },
    );
    expect(first.statusCode).toBe(200);
    const late = await call(url, lead('edited'), { name: 'Second' }, { 'if-match': tag });
    expect(problemOf(late)).toMatchObject({ status: 412, type: 'urn:muster:problem:changed-meanwhile' });
    expect(problemOf(await call(url, lead('edited'), { name: 'X' }, { 'if-match': '"else"' })).status).toBe(
      412,
    );
    const renewed = await seen('edited');
    expect(renewed.view).toMatchObject({ name: 'First', description: 'Once' });
    expect(renewed.tag).toBe(first.headers.etag);
    expect((await patched('edited', { description: null })).json()).not.toHaveProperty('description');
    expect(
      problemOf(await call(url, person('eve@example.org'), { name: 'X' }, { 'if-match': '*' })).status,
    ).toBe(403);
  });

  it('of two changes at once one is told that it came too late', async () => {
    await made({ id: 'raced', name: 'Raced' });
    const { tag } = await seen('raced');
    const change = (name: string) => call('PATCH /api/consortia/raced', admin, { name }, { 'if-match': tag });
    const answers = await Promise.all([change('one'), change('two'), change('three')]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412, 412]);
  });

  it('take parameters that fit, and keep those that are secret to themselves', async () => {
    await made({ id: 'tuned', name: 'Tuned' });
    expect(problemOf(await patched('tuned', { parameters: { rounds: 1 } }))).toMatchObject({
      errors: [{ pointer: '/computation' }],
    });
    expect(problemOf(await patched('tuned', { computation: { name: 'no', version: '1' } })).status).toBe(404);
    expect((await patched('tuned', { computation: TUNED })).statusCode).toBe(200);
    expect(problemOf(await patched('tuned', { parameters: { rounds: 'many' } }))).toMatchObject({
      ...{ type: 'urn:muster:problem:invalid-parameters', errors: [{ pointer: '/parameters/rounds' }] },
    });
    expect((await patched('tuned', { parameters: { rounds: 1, password: 'hush' } })).statusCode).toBe(200);
    const shown = await patched('tuned', { parameters: { rounds: 2 } });
    expect(shown.body).not.toContain('hush');
    expect(shown.json()).toMatchObject({ parameters: { rounds: 2 }, secrets: ['/password'] });
    // Another version keeps them, another computation does not.
    const next = await patched('tuned', { computation: { ...TUNED, version: '2' } });
    expect(next.json()).toMatchObject({ parameters: { rounds: 2 }, secrets: ['/password'] });
    const cleared = (await patched('tuned', { parameters: { rounds: 2, password: null } })).json<object>();
    expect(cleared).not.toHaveProperty('secrets');
    expect((await patched('tuned', { computation: PENGUINS })).json()).toMatchObject({ parameters: {} });
    expect((await patched('tuned', { computation: null })).json()).not.toHaveProperty('computation');
  });

  it('say what is missing for a run', async () => {
    await made({ id: 'young', name: 'Young' });
    const startYoung = () => call('POST /api/consortia/young/runs', lead('young'), {});
    expect(problemOf(await startYoung())).toMatchObject({
      type: 'urn:muster:problem:consortium-incomplete',
      detail: 'No run of young can be started. No computation is chosen. No site has accepted an invitation.',
    });
    await patched('young', { computation: PENGUINS });
    await call('POST /api/consortia/young/sites', lead('young'), { siteId: 'alpha' });
    expect(problemOf(await startYoung()).detail).toBe(
      'No run of young can be started. No site has accepted an invitation.',
    );
    const accept = { accept: true, dataset: 'birds' };
    await call('POST /api/consortia/young/sites/alpha/answer', alphaAdmin, accept);
    expect((await startYoung()).statusCode).toBe(201);
  });

  it('have a history, in which secrets are no more than changed', async () => {
    const { id } = await made({ name: 'Told' });
    await patched(id, { description: 'What it is', computation: TUNED });
    await patched(id, { parameters: { rounds: 3, password: 'hush' } });
    await call(`POST /api/consortia/${id}/sites`, lead(id), { siteId: 'alpha' });
    await call(`POST /api/consortia/${id}/sites/alpha/answer`, alphaAdmin, {
      accept: true,
      dataset: 'birds',
    });
    await call(`DELETE /api/consortia/${id}/sites/alpha`, alphaAdmin);
    const answer = await call(
      `GET /api/consortia/${id}/changes`,
      person('v@e.org', { consortia: { [id]: 'viewer' } }),
    );
    expect(answer.body).not.toContain('hush');
    const { changes } = ConsortiumChanges.parse(answer.json());
    expect(changes.map(({ by, says }) => [by, says])).toEqual([
      [alphaAdmin.sub, 'Left with the site alpha.'],
      [alphaAdmin.sub, 'Accepted for the site alpha, with the dataset birds.'],
      ['lead@example.org', 'Invited the site alpha.'],
      ['lead@example.org', 'Changed parameter rounds, parameter password.'],
      ['lead@example.org', 'Changed description, computation; the computation is tuned 1 now.'],
      [founder.sub, 'Founded the consortium.'],
    ]);
    const page = await call(`GET /api/consortia/${id}/changes?limit=2`, admin);
    const { next } = ConsortiumChanges.parse(page.json());
    const rest = await call(`GET /api/consortia/${id}/changes?after=${next}`, admin);
    expect(ConsortiumChanges.parse(rest.json()).changes).toHaveLength(4);
  });

  describe('sites', () => {
    const states = async (id: string) =>
      Object.fromEntries((await seen(id)).view.memberships.map(({ siteId, state }) => [siteId, state]));

    it('take part once they have accepted, as they call themselves and their data', async () => {
      await made({ id: 'open', name: 'Open' });
      const leader = lead('open');
      const none = await call('POST /api/consortia/open/sites', leader, { siteId: 'nowhere' });
      expect(problemOf(none)).toMatchObject({ status: 404, type: 'urn:muster:problem:unknown-site' });
      await call('POST /api/consortia/open/sites', leader, { siteId: 'alpha', name: 'Alpha' });
      await call('POST /api/consortia/open/sites', leader, { siteId: 'beta' });
      // Who is invited sees to what, and who invites nothing of the site yet.
      expect((await seen('open', alphaAdmin)).view.name).toBe('Open');
      expect((await call('GET /api/sites', leader)).json()).toEqual({ sites: [] });
      const answer = 'POST /api/consortia/open/sites/alpha/answer';
      const accept = { accept: true, dataset: 'birds' };
      expect(problemOf(await call(answer, betaAdmin, accept)).status).toBe(403);
      expect(problemOf(await call(answer, leader, accept)).status).toBe(403);
      expect((await call(answer, alphaAdmin, accept)).statusCode).toBe(200);
      const { view } = await seen('open', leader);
      expect(view.sites).toEqual([{ id: 'alpha', name: 'Alpha', dataset: 'birds' }]);
      expect(view.memberships).toMatchObject([
        { siteId: 'alpha', state: 'accepted', invitedBy: 'lead@example.org', answeredBy: alphaAdmin.sub },
        { siteId: 'beta', state: 'invited' },
      ]);
      expect((await call('GET /api/sites', leader)).json()).toMatchObject({ sites: [{ id: 'alpha' }] });
    });

    it('decline with a reason, are asked again, and leave', async () => {
      await made({ id: 'asked', name: 'Asked' });
      const [leader, url] = [lead('asked'), '/api/consortia/asked/sites'];
      const invite = () => call(`POST ${url}`, leader, { siteId: 'alpha' });
      const answer = (body: object) => call(`POST ${url}/alpha/answer`, alphaAdmin, body);
      await invite();
      await answer({ accept: false, reason: 'The board meets in May.' });
      expect((await seen('asked', leader)).view.memberships).toMatchObject([
        { state: 'declined', reason: 'The board meets in May.' },
      ]);
      expect(problemOf(await call('GET /api/consortia/asked', alphaAdmin)).status).toBe(403);
      expect(problemOf(await answer({ accept: true, dataset: 'x' })).type).toMatch('unknown-membership');
      await invite();
      await answer({ accept: true, dataset: 'birds' });
      expect(problemOf(await invite()).type).toMatch('membership-impossible');
      expect((await call(`DELETE ${url}/alpha`, alphaAdmin)).statusCode).toBe(200);
      expect(await states('asked')).toEqual({ alpha: 'left' });
      await invite();
      expect((await call(`DELETE ${url}/alpha`, leader)).statusCode).toBe(200);
      expect(await states('asked')).toEqual({ alpha: 'removed' });
    });

    it('that are declared by an admin have accepted, and the others are let go', async () => {
      await register(server, 'declared');
      const sites = [{ id: 'beta', name: 'Beta', dataset: 'fish' }];
      await server.call('PUT /api/consortia/declared', { body: { name: 'D', computation: PENGUINS, sites } });
      expect(await states('declared')).toEqual({ beta: 'accepted', alpha: 'removed' });
      expect((await seen('declared')).view.sites).toEqual(sites);
    });

    it('that leave stay in the run that was started with them', async () => {
      await register(server, 'running');
      const runId = await start(server, 'running');
      await call('DELETE /api/consortia/running/sites/alpha', alphaAdmin);
      const run = (await server.call(`GET /api/runs/${runId}`)).json<{ nodes: { node: string }[] }>();
      expect(run.nodes.map(({ node }) => node)).toContain('alpha');
      const next = await start(server, 'running');
      const later = (await server.call(`GET /api/runs/${next}`)).json<{ nodes: { node: string }[] }>();
      expect(later.nodes.map(({ node }) => node)).toEqual(['central', 'beta']);
    });

    it('that answer at the same time, in two APIs, are all heard', async () => {
      await made({ id: 'crowd', name: 'Crowd' });
      const ids = Array.from({ length: 6 }, (_, index) => `crowd-${index}`);
      for (const id of ids) {
        await server.tokenOf(person(`admin@${id}.example.org`, { sites: [id] }));
        await call('POST /api/consortia/crowd/sites', lead('crowd'), { siteId: id });
      }
      const other = await server.startReplica();
      await Promise.all(
        ids.map((id, index) =>
          callOn(index % 2 ? other : server.app, `POST /api/consortia/crowd/sites/${id}/answer`, {
            body: { accept: true, dataset: 'birds' },
          }),
        ),
      );
      expect((await seen('crowd')).view.sites.map(({ id }) => id)).toEqual(ids);
    });
  });

  it('are archived: no run starts, they are listed when asked for, and come out again', async () => {
    await register(server, 'old');
    const leader = lead('old');
    expect((await call('DELETE /api/consortia/old', leader)).statusCode).toBe(200);
    const start = () => call('POST /api/consortia/old/runs', leader, {});
    expect(problemOf(await start()).detail).toMatch('The consortium is archived.');
    const listed = async (query: string) =>
      ConsortiumList.parse((await call(`GET /api/consortia${query}`, leader)).json()).consortia.length;
    expect([await listed(''), await listed('?archived=true')]).toEqual([0, 1]);
    expect(problemOf(await call('POST /api/consortia', founder, { id: 'old', name: 'x' })).status).toBe(409);
    await patched('old', { archived: false }, leader);
    expect((await start()).statusCode).toBe(201);
  });
});
