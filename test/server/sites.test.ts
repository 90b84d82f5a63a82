/** Which sites are there: what their workers say, what people see, and what runs are told. */
import { eq } from 'drizzle-orm';
import { sites } from '../../server/db/schema';
import { createPresenceWatch } from '../../server/runs/presence-watch';
import { createRuns } from '../../server/runs/temporal';
import { AWAY_AFTER_MS, createPresence, presenceOf } from '../../server/sites/presence';
import { SiteList, type PresenceBody } from '../../workflows/api-contract';
import { describeOnEachDatabase, silent } from './databases';
import { register, report, signalsTo, start } from './scenes';
import { until } from '../support/until';
import { admin, lead, problemOf, site, useServer, type Bearer } from './server';
import { LAUNCH, nodeView, runView, statusReport } from './views';

const NEXT_LAUNCH = 'launch000002';

describe('what is known of a site', () => {
  const [since, now] = [1_000_000, 2_000_000];

  it.each<['here' | 'leaving', number, number, string]>([
    ['here', now - 44_000, since, 'here'],
    ['here', now - 45_000, since, 'away'],
    ['leaving', now - 1, since, 'away'],
    // The API has just started.
    ['here', now - 44_000, now - 1_000, 'here'],
    ['here', now - 50_000, now - 1_000, 'unknown'],
    ['leaving', now - 50_000, now - 1_000, 'unknown'],
    ['leaving', now - 500, now - 1_000, 'away'],
    ['here', now - 90_000, now - 45_000, 'away'],
  ])('%s at %d, listened since %d: %s', (state, seenAt, listeningSince, presence) => {
    expect(presenceOf({ state, seenAt }, listeningSince, now)).toBe(presence);
  });
});

describeOnEachDatabase('sites', (kind) => {
  const server = useServer(kind);
  const say = (id: string, more: Partial<PresenceBody> = {}, as = site(id)) =>
    server.call(`POST /api/sites/${id}/presence`, {
      as,
      body: { state: 'here', runtimes: ['docker', 'process'], version: '1.2.3', ...more },
    });
  async function list(as: Bearer = admin, query = '') {
    const answer = await server.call(`GET /api/sites${query}`, { as });
    expect(answer.statusCode).toBe(200);
    return SiteList.parse(answer.json()).sites;
  }
  const presences = async () =>
    Object.fromEntries((await list()).map(({ id, presence }) => [id, presence] as const));
  const names = (...ids: string[]) => ({
    sites: ids.map((id) => ({ id, name: `The ${id}`, dataset: 'birds' })),
  });

  beforeAll(async () => {
    await register(server, 'birds', names('alpha', 'beta'));
    await register(server, 'seals', names('beta', 'gamma'));
  });

  it('are listed with their consortia, and with what their workers said', async () => {
    expect((await say('beta')).json()).toEqual({
      memberships: expect.any(String) as string,
      heard: false,
      answers: 0,
    });
    await say('delta', { state: 'leaving', runtimes: ['process'] });
    const seenAt = expect.any(Number) as number;
    expect(await list()).toEqual([
      { id: 'alpha', name: 'The alpha', consortia: ['birds'], presence: 'unknown' },
      {
        ...{ id: 'beta', name: 'The beta', consortia: ['birds', 'seals'], presence: 'here', seenAt },
        ...{ runtimes: ['docker', 'process'], version: '1.2.3' },
      },
      {
        ...{ id: 'delta', consortia: [], presence: 'away', seenAt, runtimes: ['process'] },
        version: '1.2.3',
      },
      { id: 'gamma', name: 'The gamma', consortia: ['seals'], presence: 'unknown' },
    ]);
  });

  it('are shown to a lead as far as their consortia go', async () => {
    const ids = async (...of: Parameters<typeof list>) => (await list(...of)).map(({ id }) => id);
    expect(await ids(lead('seals'))).toEqual(['beta', 'gamma']);
    expect((await list(lead('seals')))[0]?.consortia).toEqual(['seals']);
    expect(await ids(admin, '?consortium=birds')).toEqual(['alpha', 'beta']);
    expect(await ids(lead('seals'), '?consortium=birds')).toEqual([]);
  });

  it('speak for themselves only, and in the agreed form', async () => {
    expect(problemOf(await say('alpha', {}, site('beta'))).status).toBe(403);
    expect(problemOf(await say('alpha', {}, admin)).status).toBe(403);
    expect(problemOf(await say('alpha', { version: '' }))).toMatchObject({
      ...{ status: 400, errors: [{ pointer: '/version' }] },
    });
    expect(await presences()).toMatchObject({ alpha: 'unknown' });
  });

  it('that have left are away, and here when they are back', async () => {
    await say('gamma', { state: 'leaving' });
    expect(await presences()).toMatchObject({ gamma: 'away' });
    await say('gamma');
    expect(await presences()).toMatchObject({ gamma: 'here' });
  });

  describe('a run', () => {
    const running = (runId: string, at: number, launchId = LAUNCH) =>
      report(
        server,
        statusReport(
          runView(runId, 'running', { launchId }),
          ['central', 'alpha', 'beta'].map((node) =>
            nodeView(node, node === 'alpha' ? 'running' : 'waiting'),
          ),
          { at, execution: launchId },
        ),
      );
    const about = async (runId: string, node = 'alpha') =>
      (await signalsTo(server, runId)).filter(([, said]) => (said as { node: string }).node === node);
    const told = (runId: string, count: number) =>
      until(async () => {
        const all = await about(runId);
        return all.length >= count ? all : undefined;
      });
    const back = (launchId = LAUNCH) => ['status', { launchId, node: 'alpha', attention: null }];
    const away = async (launchId = LAUNCH) => {
      const [alpha] = await server.db.select().from(sites).where(eq(sites.siteId, 'alpha'));
      const seen = new Date(alpha!.seenAt).toISOString();
      const message =
        `The edge worker of alpha has not been heard of since ${seen}. ` +
        'Its node may go on running; the run waits for it.';
      const attention = { node: 'alpha', phase: 'running', type: 'SiteAway', message };
      return ['status', { launchId, node: 'alpha', attention }];
    };

    it('is told of a site that fell silent; an API that was restarted neither guesses nor repeats it', async () => {
      await say('alpha');
      const runId = await start(server, 'birds');
      await running(runId, 10);
      // Of this file's own API, which has begun to listen just now, and knows nothing of a silence before.
      await server.db
        .update(sites)
        .set({ seenAt: Date.now() - 100_000 })
        .where(eq(sites.siteId, 'alpha'));
      let moment = Date.now() - AWAY_AFTER_MS - 1;
      const api = () => {
        const presence = createPresence({ db: server.db, clock: () => moment });
        const temporal = createRuns(server.temporal.client);
        return createPresenceWatch({ db: server.db, temporal, presence, log: silent });
      };
      const first = api();
      await first.look();
      expect(await about(runId)).toEqual([]);
      moment = Date.now();
      await Promise.all([first.look(), first.look()]);
      expect(await about(runId)).toEqual([await away()]);
      await api().look();
      await first.look();
      expect(await about(runId)).toEqual([await away()]);
    });

    it('is told that a site left, and that it is back, once each', async () => {
      await say('alpha');
      const runId = await start(server, 'birds');
      await running(runId, 10);
      await server.startReplica();
      await say('alpha', { state: 'leaving' });
      expect(await told(runId, 1)).toEqual([await away()]);
      const gone = await away();
      await say('alpha');
      expect(await told(runId, 2)).toEqual([gone, back()]);
      await say('alpha', { state: 'leaving' });
      expect(await told(runId, 3)).toEqual([gone, back(), await away()]);
    });

    it('is told anew when it was launched again, and not when its node has ended', async () => {
      await say('alpha');
      const [again, ended] = [await start(server, 'birds'), await start(server, 'birds')];
      await running(again, 10);
      await running(ended, 10);
      const over = statusReport(runView(ended, 'running'), [nodeView('alpha', 'failed')], { at: 20 });
      await report(server, { ...over, execution: LAUNCH });
      await say('alpha', { state: 'leaving' });
      const first = await away();
      expect(await told(again, 1)).toEqual([first]);
      await running(again, 20, NEXT_LAUNCH);
      expect(await told(again, 2)).toEqual([first, await away(NEXT_LAUNCH)]);
      expect(await about(ended)).toEqual([]);
      await say('alpha');
      expect(await told(again, 3)).toMatchObject([{}, {}, back(NEXT_LAUNCH)]);
    });

    it('is told later if Temporal did not answer', async () => {
      await say('alpha');
      const runId = await start(server, 'birds');
      await running(runId, 10);
      const presence = createPresence({ db: server.db });
      await presence.hear('alpha', { state: 'leaving', runtimes: [], version: '1' });
      const temporal = { signalStatus: () => Promise.reject(new Error('nobody there')) };
      const watch = createPresenceWatch({ db: server.db, temporal, presence, log: silent });
      await watch.look().catch(() => undefined);
      expect(await told(runId, 1)).toEqual([await away()]);
    });
  });
});
