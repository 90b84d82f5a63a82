/** Approving on the page: what people say of runs that wait at a site, and what the site gets to know of it. */
import { openSources } from '../../server/changes/sources';
import { createDestinations } from '../../server/people/destinations';
import { AuditPage } from '../../workflows/audit-contract';
import { SiteDetail } from '../../workflows/api-contract';
import { SiteAnswers, SiteNews, type Ask, type ReadinessBody } from '../../workflows/consortium-contract';
import { register, start } from './scenes';
import { lead, person, problemOf, site, useServer } from './server';

const server = useServer();
const grace = person('Grace', { sites: ['alpha'] });
const emmy = person('Emmy', { sites: ['alpha'] });
const ID = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
let ask: Ask;

const tell = (
  asks: Ask[],
  approval: ReadinessBody['policy']['approval'] = 'page',
  version = '1',
): Promise<unknown> =>
  server.call('POST /api/site/readiness', {
    as: site('alpha'),
    body: { version, policy: { says: [], approval }, judgements: [], asks } satisfies ReadinessBody,
  });
const news = async (version = '1') =>
  SiteNews.parse(
    (
      await server.call('POST /api/sites/alpha/presence', {
        as: site('alpha'),
        body: { state: 'here', runtimes: ['docker'], version },
      })
    ).json(),
  );
const say = (body: object, { as = grace, id = ID } = {}) =>
  server.call(`POST /api/sites/alpha/asks/${id}/answer`, { as, body });
const taken = async () =>
  SiteAnswers.parse((await server.call('GET /api/site/answers', { as: site('alpha') })).json()).answers;
const shown = async () =>
  SiteDetail.parse((await server.call('GET /api/sites/alpha', { as: grace })).json()).asks;

const APPROVED = { verdict: 'approved' };
const REFUSED = { verdict: 'refused', why: 'not before the vote' };

beforeAll(async () => {
  await register(server, 'penguins');
  ask = {
    ...{ id: ID, runId: await start(server), since: 1, dataset: 'birds', gets: 'all' },
    computation: { name: 'example', version: '1.0.0', command: ['run'] },
  };
  await news();
});

it('keeps what was said until the site has taken it, and says who said it', async () => {
  await tell([ask]);
  expect((await say(APPROVED)).json()).toMatchObject({ verdict: 'approved', by: 'Grace' });
  expect(await shown()).toMatchObject([{ id: ID, answer: { verdict: 'approved', by: 'Grace' } }]);
  expect(await news()).toMatchObject({ answers: 1 });
  const answer = { askId: ID, verdict: 'approved', by: 'Grace', at: expect.any(Number) as number };
  expect(await taken()).toEqual([answer]);
  await tell([]);
  expect(await shown()).toEqual([]);
  expect(await news()).toMatchObject({ answers: 0 });
  expect(problemOf(await say(APPROVED))).toMatchObject({
    status: 404,
    type: 'urn:muster:problem:unknown-ask',
  });
});

it('lets the first answer stand; the same once more is no error', async () => {
  await tell([ask]);
  const first = (await say(REFUSED)).json<object>();
  expect((await say({ ...REFUSED, why: 'another reason' }, { as: emmy })).json()).toEqual(first);
  expect(problemOf(await say(APPROVED, { as: emmy }))).toMatchObject({
    ...{ status: 409, type: 'urn:muster:problem:already-answered' },
    detail: 'Grace has refused it already, and the site is about to know.',
  });
  expect(await taken()).toMatchObject([{ verdict: 'refused', why: 'not before the vote', by: 'Grace' }]);
  await tell([]);
});

it('takes none that the site has not asked for, as its own file and its worker say it', async () => {
  await tell([ask]);
  expect(problemOf(await say(APPROVED, { id: OTHER })).status).toBe(404);
  for (const approval of ['ask', 'auto'] as const) {
    await tell([ask], approval);
    expect(problemOf(await say(APPROVED))).toMatchObject({
      ...{ status: 409, type: 'urn:muster:problem:answered-at-site' },
      detail: expect.stringContaining('muster site approve') as string,
    });
  }
  await tell([ask]);
  await news('2');
  expect(problemOf(await say(APPROVED)).status).toBe(404);
  await news();
});

it('forgets an answer that the site takes no more', async () => {
  await tell([ask]);
  await say(APPROVED);
  await tell([ask], 'ask');
  await tell([ask]);
  expect(await taken()).toEqual([]);
  expect(await shown()).toEqual([ask]);
});

it('refuses one without the reason that the consortium is to read', async () => {
  await tell([ask]);
  expect(problemOf(await say({ verdict: 'refused' })).status).toBe(400);
  expect(problemOf(await say({ verdict: 'refused', why: ' ' })).status).toBe(400);
  expect(problemOf(await say(APPROVED, { as: lead('penguins') })).status).toBe(403);
  expect(await taken()).toEqual([]);
});

it('is told to those who look at the site', async () => {
  const destinations = createDestinations(server.db);
  const presence = { sites: () => Promise.resolve([]) };
  const sources = await openSources({ db: server.db, presence, destinations });
  await tell([ask]);
  await say(APPROVED);
  expect(await sources.look()).toEqual([
    { change: { type: 'site', siteId: 'alpha' }, consortia: ['penguins'], sites: ['alpha'] },
  ]);
  await tell([]);
});

it('writes down who answered what, and of which run', async () => {
  await tell([ask]);
  await say(REFUSED, { as: emmy });
  const answer = await server.call(`GET /api/audit?run=${ask.runId}&limit=1`);
  expect(AuditPage.parse(answer.json()).entries).toMatchObject([
    {
      ...{ action: 'site.answer-ask', by: 'Emmy', siteId: 'alpha', consortiumId: 'penguins' },
      detail: {
        verdict: 'refused',
        reason: 'not before the vote',
        computation: 'example 1.0.0',
        dataset: 'birds',
      },
    },
  ]);
});
