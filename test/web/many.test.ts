/** An instance of years: what is drawn of ten thousand runs, a hundred sites and as many consortia stays little, and the rest is found. */
import { describeInBrowser } from '../support/browser';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';

const RUNS = 10_000;
const UNDER_WAY = 80;
const SITES = 100;
const CONSORTIA = 120;
/** All elements of a page. A browser has no trouble with so many, whatever the machine. */
const MOST_ELEMENTS = 4_000;

const siteId = (index: number) => `site-${String(index).padStart(3, '0')}`;
const sites = Array.from({ length: SITES }, (_, index) => ({
  ...{ id: siteId(index), name: `Hospital ${index}`, consortia: ['penguins'], presence: 'here' },
  ...{ seenAt: scenes.ago(4), runtimes: ['docker'], version: '0.1.0' },
  standing: { state: 'joined', at: scenes.ago(-4_000_000) },
}));

describeInBrowser('much of everything', () => {
  const on = useThePage();
  const rows = (what: string) => on.page.locator(what).count();

  beforeEach(() => {
    const consortium = {
      ...scenes.consortium(),
      sites: sites.map(({ id, name }) => ({ id, name, dataset: 'penguins' })),
      memberships: sites.map(({ id, name }) => ({
        ...{ siteId: id, name, state: 'accepted' as const, dataset: 'penguins' },
        ...{ invitedBy: 'Grace', invitedAt: 1 },
      })),
    };
    on.server.consortia = Array.from({ length: CONSORTIA }, (_, index) =>
      index === 0 ? consortium : { ...consortium, id: `consortium-${index}`, name: `Study ${index}` },
    );
    on.server.details.clear();
    const [running, complete] = [scenes.running(), scenes.complete()];
    for (let index = 0; index < RUNS; index += 1) {
      const scene = index < UNDER_WAY ? running : complete;
      const runId = `penguins-${RUNS - index}`;
      const nodes = scene.nodes.map((node) =>
        node.node === 'central' ? node : { ...node, node: siteId(index % 3) },
      );
      on.server.show({ ...scene, nodes, run: { ...scene.run, runId } });
    }
    on.server.answers.set('GET sites', { sites });
    on.server.answers.set('GET consortia/penguins/readiness', {
      missing: [],
      sites: sites.map(({ id, name }) => ({
        ...{ siteId: id, name, membership: 'accepted', presence: 'here', verdict: 'ready', says: [] },
      })),
    });
    on.server.answers.set('GET sites/site-000', {
      ...{ site: sites[0], memberships: [], asks: [], saidAt: scenes.ago(40) },
      policy: { says: ['It runs penguins-regression alone.'], approval: 'ask' },
    });
    on.server.answers.set('GET sites/site-000/people', { people: [] });
    on.server.answers.set('GET audit', {
      entries: Array.from({ length: 100 }, (_, index) => ({
        ...{ id: RUNS - index, at: scenes.ago(index), action: 'run.start', by: 'Grace', via: 'session' },
        address: '192.0.2.7',
      })),
      next: RUNS - 99,
    });
  });

  const PAGES: readonly (readonly [path: string, shows: string, drawn: Record<string, number>])[] = [
    ['/', 'The first 50 of 120 consortia are shown.', { '.consortium': 50, '.runs a': 75 }],
    ['/consortia/penguins', 'The first 50 of 100 sites are shown.', { '.runs a': 30 }],
    ['/sites', 'The first 50 of 100 sites are shown.', { 'tbody tr': 50 }],
    ['/sites/site-000', 'Show older runs', { '.runs a': 25 }],
    ['/admin/audit', 'Show older entries', { 'tbody tr': 100 }],
  ];

  test.each(PAGES)('%s draws a part of it', async (path, shows, drawn) => {
    await on.open(path);
    await on.see(shows);
    for (const [what, most] of Object.entries(drawn)) {
      await on.page.locator(what).first().waitFor();
      expect(await rows(what)).toBeLessThanOrEqual(most);
    }
    expect(await rows('*')).toBeLessThanOrEqual(MOST_ELEMENTS);
  });

  test('older runs come page after page', async () => {
    await on.open('/consortia/penguins');
    await on.button('Show older runs').click();
    await on.page.locator('.card .runs a').nth(49).waitFor();
    expect(await rows('.card .runs a')).toBe(50);
    await on.see(`penguins-${RUNS - 49}`);
  });

  test('a consortium among many is found by its name', async () => {
    await on.open('/');
    await on.page.getByLabel('Find a consortium').fill('study 117');
    await on.page.getByRole('link', { name: 'Study 117' }).waitFor();
    expect(await rows('.consortium')).toBe(1);
    await on.page.getByLabel('Find a consortium').fill('nothing of that kind');
    await on.see('No consortium is called so.');
  });
});
