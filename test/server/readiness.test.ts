/** Who is ready for a run: what sites say, and what the consortium reads of it. */
import { readinessOf } from '../../server/sites/readiness';
import type { Told } from '../../server/sites/told';
import type { HeardSite } from '../../server/sites/presence';
import {
  ConsortiumReadiness,
  SiteMemberships,
  SiteNews,
  type Judgement,
  type Membership,
  type ReadinessBody,
} from '../../workflows/consortium-contract';
import { register } from './scenes';
import { lead, person, problemOf, site, useServer } from './server';

const COMPUTATION = { name: 'example', version: '1.0.0' };
const judgement: Judgement = {
  ...{ consortiumId: 'c', computation: COMPUTATION, dataset: 'birds' },
  ...{ verdict: 'allowed', image: 'here', data: 'present' },
};
const body = (more: Partial<Judgement> = {}, rest: Partial<ReadinessBody> = {}): ReadinessBody => ({
  ...{ version: '1', policy: { says: ['any consortium'], approval: 'auto' }, asks: [] },
  judgements: [{ ...judgement, ...more }],
  ...rest,
});

describe('a site', () => {
  const member: Membership = {
    ...{ siteId: 'alpha', name: 'Alpha', state: 'accepted', dataset: 'birds' },
    ...{ invitedBy: 'a lead', invitedAt: 1 },
  };
  const heard: HeardSite = {
    ...{ siteId: 'alpha', seenAt: 1, state: 'here', runtimes: ['docker'], version: '1', presence: 'here' },
  };
  const told = (more: Partial<Judgement> = {}, rest: Partial<ReadinessBody> = {}): Told => ({
    ...{ at: 5, body: body(more, rest) },
  });
  const closed = { rule: 'maintenance' as const, says: 'nothing starts here for now: a move' };

  it.each<[string, Partial<Membership>, Partial<HeardSite> | undefined, Told | undefined, string, string[]]>([
    ['that allows it and has the data', {}, {}, told(), 'ready', []],
    [
      'that has to pull the image',
      {},
      {},
      told({ image: 'to-be-pulled' }),
      'ready',
      ['The image is not there: it is pulled when a run starts.'],
    ],
    [
      'where a person approves',
      {},
      {},
      told({ verdict: 'needs-approval' }),
      'waits',
      ['A person there approves every run.'],
    ],
    ['that is closed', {}, {}, told({}, { policy: { ...body().policy, closed } }), 'waits', [closed.says]],
    ['that refuses it', {}, {}, told({ verdict: 'refused', why: 'no' }), 'not-ready', ['no']],
    ['without the data', {}, {}, told({ data: 'missing', dataWhy: 'gone' }), 'not-ready', ['gone']],
    [
      'without an engine',
      {},
      {},
      told({ image: 'unknown' }),
      'not-ready',
      ['No container engine answers there.'],
    ],
    ['that is away', {}, { presence: 'away' }, told(), 'not-known', ['Its edge worker is away.']],
    [
      'that was never heard of',
      {},
      undefined,
      undefined,
      'not-known',
      ['Whether its edge worker is there is not known.'],
    ],
    [
      'whose worker does not say it',
      {},
      {},
      undefined,
      'not-known',
      [expect.stringMatching('older version') as string],
    ],
    [
      'whose worker is another version now',
      {},
      { version: '0' },
      told(),
      'not-known',
      [expect.stringMatching('older version') as string],
    ],
    [
      'that spoke of another version',
      {},
      {},
      told({ computation: { ...COMPUTATION, version: '0' } }),
      'not-known',
      ['It has not looked at example 1.0.0 yet.'],
    ],
    [
      'that spoke of other data',
      {},
      {},
      told({ dataset: 'fish' }),
      'not-known',
      ['It has not looked at example 1.0.0 yet.'],
    ],
    [
      'that is only invited',
      { state: 'invited' },
      {},
      told(),
      'not-known',
      ['It has not answered the invitation yet.'],
    ],
  ])('%s', (_what, membership, presence, said, verdict, says) => {
    const seen = readinessOf(
      { ...member, ...membership },
      { id: 'c', computation: COMPUTATION },
      presence && { ...heard, ...presence },
      said,
    );
    expect([seen.verdict, seen.says]).toEqual([verdict, says]);
  });

  it('that is only invited is not looked at', () => {
    const seen = readinessOf(
      { ...member, state: 'invited' },
      { id: 'c', computation: COMPUTATION },
      heard,
      told(),
    );
    expect(seen).toMatchObject({ presence: 'unknown' });
    expect(seen).not.toHaveProperty('at');
  });
});

describe('the API', () => {
  const server = useServer();
  const say = async (id: string) =>
    SiteNews.parse(
      (
        await server.call(`POST /api/sites/${id}/presence`, {
          as: site(id),
          body: { state: 'here', runtimes: ['docker'], version: '1' },
        })
      ).json(),
    );
  const readiness = async (as = lead('birds')) =>
    ConsortiumReadiness.parse((await server.call('GET /api/consortia/birds/readiness', { as })).json());

  beforeAll(() => register(server, 'birds'));

  it('tells a site what it takes part in, and that this has changed', async () => {
    const first = await say('alpha');
    expect(await say('alpha')).toEqual(first);
    const asked = async (id: string) =>
      SiteMemberships.parse((await server.call('GET /api/site/memberships', { as: site(id) })).json());
    expect(await asked('alpha')).toMatchObject({
      memberships: [{ consortium: { id: 'birds' }, dataset: 'birds', computation: { name: 'example' } }],
    });
    expect(await asked('gamma')).toEqual({ memberships: [] });
    await server.call('PATCH /api/consortia/birds', {
      body: { name: 'Birds' },
      headers: { 'if-match': '*' },
    });
    expect((await say('alpha')).memberships).not.toBe(first.memberships);
    expect(problemOf(await server.call('GET /api/site/memberships', { as: lead('birds') })).status).toBe(403);
  });

  it('shows what the sites have said, each for itself', async () => {
    const answer = await server.call('POST /api/site/readiness', {
      as: site('alpha'),
      body: body({ consortiumId: 'birds' }),
    });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(await say('alpha')).toMatchObject({ heard: true });
    await say('beta');
    const { missing, sites } = await readiness();
    expect(missing).toEqual([]);
    expect(sites).toMatchObject([
      {
        siteId: 'alpha',
        verdict: 'ready',
        computation: 'allowed',
        data: 'present',
        at: expect.any(Number) as number,
      },
      { siteId: 'beta', verdict: 'not-known', presence: 'here' },
    ]);
    expect(
      problemOf(await server.call('GET /api/consortia/birds/readiness', { as: lead('fish') })).status,
    ).toBe(403);
  });

  it('shows a site to its administrators as a whole, and to others as far as they share a consortium', async () => {
    const ask = {
      ...{ id: 'a'.repeat(64), runId: 'run-1', since: 1, dataset: 'birds', gets: 'all' },
      computation: { ...COMPUTATION, command: ['run'] },
    };
    await server.call('POST /api/site/readiness', {
      as: site('alpha'),
      body: body({ consortiumId: 'birds' }, { asks: [ask] }),
    });
    const own = person('al@e.org', { sites: ['alpha'] });
    await server.call('POST /api/consortia', { body: { id: 'fish', name: 'Fish' } });
    await server.call('POST /api/consortia/fish/sites', { body: { siteId: 'alpha' } });
    const of = async (as: ReturnType<typeof person>) => server.call('GET /api/sites/alpha', { as });
    expect((await of(own)).json()).toMatchObject({
      site: { id: 'alpha', presence: 'here', consortia: ['birds'] },
      policy: { says: ['any consortium'] },
      memberships: [
        { consortium: { id: 'birds' }, state: 'accepted', dataset: 'birds' },
        { consortium: { id: 'fish', name: 'Fish' }, state: 'invited' },
      ],
      asks: [ask],
    });
    const others = (await of(lead('birds'))).json<object>();
    expect(others).toMatchObject({ memberships: [{ consortium: { id: 'birds' } }], asks: [] });
    expect(problemOf(await of(lead('fish'))).status).toBe(404);
  });
});
