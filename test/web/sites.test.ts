/** The pages of sites in a real browser: runs that are answered for there, how a site is cut off, and many of them. */
import { describeInBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';
import { seriousFindings } from './watched-page';

const ASK = 'a'.repeat(64);
const ANSWER = `sites/biscoe/asks/${ASK}/answer`;

describeInBrowser('the pages of sites', () => {
  const on = useThePage();
  const { server } = on;
  const answered = () => on.sent('POST', ANSWER).map(({ body }) => body);
  beforeEach(() => {
    server.me = scenes.grace();
  });

  /** Opens the question about the run that waits at the site. */
  async function openQuestion(): Promise<void> {
    server.answers.set('GET sites/biscoe', scenes.askingSite('page'));
    await on.open('/');
    await on.page.getByRole('link', { name: 'Look at the site' }).click();
    await on.button(`Answer ${scenes.RUN_ID}`).click();
    await on.dialog().waitFor();
  }

  test('a run that waits at a site is approved there by who sees all that it would be', async () => {
    await openQuestion();
    for (const fact of [
      ...['penguins-1', 'Penguins of the Palmer Archipelago (penguins)', 'penguins-regression 1.0.0'],
      ...[/@sha256:9f9f/, 'python edge.py', /^KbV_/, /2 processors, 4Gi of memory/],
    ])
      await on.see(fact, on.dialog());
    expect(await seriousFindings(on.page)).toEqual([]);
    const answer = { verdict: 'approved', by: 'Grace', at: Date.now() };
    server.answers.set(`POST ${ANSWER}`, answer);
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', answer));
    await on.button('Approve').click();
    await on.see(/approved by Grace/);
    await on.see('The site takes it with its next sign of life.');
    expect(await on.dialog().count()).toBe(0);
    expect(await on.button(`Answer ${scenes.RUN_ID}`).count()).toBe(0);
    expect(answered()).toEqual([{ verdict: 'approved' }]);
    server.answers.set('GET sites/biscoe', { ...scenes.askingSite('page'), asks: [] });
    server.tell({ type: 'site', siteId: 'biscoe' });
    await on.page.getByText('Runs that wait for an answer').waitFor({ state: 'detached' });
  });

  test('a run is refused with a reason, which the consortium is told that it reads', async () => {
    await openQuestion();
    await on.button('Decide later').click();
    await on.dialog().waitFor({ state: 'detached' });
    expect(answered()).toEqual([]);
    await on.button(`Answer ${scenes.RUN_ID}`).click();
    expect(await on.button('Refuse').isDisabled()).toBe(true);
    await on.see('The consortium reads it.', on.dialog());
    await on.page.getByLabel('Or refuse, and say why').fill('not before the vote');
    const answer = { verdict: 'refused', by: 'Grace', at: Date.now(), why: 'not before the vote' };
    server.answers.set(`POST ${ANSWER}`, answer);
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', answer));
    await on.button('Refuse').click();
    await on.see('“not before the vote”');
    expect(answered()).toEqual([{ verdict: 'refused', why: 'not before the vote' }]);
  });

  test('who was slower is told who was first, and sees it', async () => {
    await openQuestion();
    const first = { verdict: 'refused', by: 'Emmy', at: Date.now(), why: 'no' };
    server.instead = ({ method }) =>
      method === 'POST' ? problem(409, 'Answered', { detail: 'Emmy has refused it already.' }) : undefined;
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', first));
    await on.button('Approve').click();
    await on.see(/refused by Emmy/);
  });

  test('where the site takes no answers from the page, its command is shown instead', async () => {
    server.answers.set('GET sites/biscoe', scenes.askingSite('ask'));
    await on.open('/sites/biscoe');
    await on.see('muster site approvals');
    expect(await on.button(`Answer ${scenes.RUN_ID}`).count()).toBe(0);
  });

  test('a site is cut off by who has said why, and is shown as it stands then', async () => {
    await on.open('/sites/biscoe');
    await on.button('Cut the site off').click();
    await on.see('This cannot be taken back.', on.dialog());
    expect(await on.button('Cut it off').isDisabled()).toBe(true);
    await on.page.getByLabel('Reason').fill('a stolen laptop');
    const revoked = { standing: { state: 'revoked', at: Date.now() }, presence: 'away' };
    const { site, ...detail } = scenes.askingSite('ask');
    const after = { ...site, ...revoked };
    server.answers.set('POST sites/biscoe/revoke', { siteId: 'biscoe', certificates: 1 });
    server.answers.set('GET sites', { sites: [after] });
    server.answers.set('GET sites/biscoe', { ...detail, asks: [], site: after });
    await on.button('Cut it off').click();
    await on.see('Cut off');
    expect(await on.button('Cut the site off').count()).toBe(0);
    expect(await on.button('Make a join code').count()).toBe(1);
    expect(on.sent('POST', 'sites/biscoe/revoke')).toMatchObject([{ body: { reason: 'a stolen laptop' } }]);
  });

  test('who may not say who the site is is offered neither', async () => {
    server.answers.set('GET sites/biscoe', { ...scenes.askingSite('ask'), asks: [], mayEnrol: false });
    await on.open('/sites/biscoe');
    await on.see('a person approves every run');
    for (const name of ['Cut the site off', 'Make a join code'])
      expect(await on.button(name).count()).toBe(0);
  });

  test('of many sites some are drawn, and the others found by name', async () => {
    const { list, consortium, readiness } = scenes.manySites(250);
    server.consortia = [consortium];
    server.answers.set('GET sites', list);
    server.answers.set('GET consortia/penguins/readiness', readiness);
    for (const path of ['/sites', '/consortia/penguins']) {
      await on.open(path);
      await on.see('The first 50 of 250 sites are shown.');
      const rows = on.page.getByRole('row').filter({ hasText: 'Hospital' });
      expect(await rows.count()).toBe(50);
      await on.page.getByRole('searchbox', { name: 'Find a site' }).fill('hospital 203');
      await on.see('Hospital 203', rows);
      expect(await rows.count()).toBe(1);
      await on.page.getByRole('searchbox', { name: 'Find a site' }).fill('nowhere');
      await on.see('No site is called so.');
    }
  });

  test('where a part of the centre is down, each says whether it answers, and the sites are shown beside', async () => {
    server.me = { ...scenes.grace(), admin: true };
    const down = { database: 'ok', temporal: 'failed', objectStore: 'ok', centralWorker: 'failed' };
    server.instead = ({ path }) =>
      path === '/readyz'
        ? problem(503, 'Not ready', { detail: 'No answer from: temporal.', checks: down })
        : undefined;
    const gateway = (name: string, presence: string) => ({ name, presence, seenAt: Date.now() });
    server.answers.set('GET gateways', {
      gateways: [
        gateway('centre-1:7410', 'here'),
        gateway('centre-2:7410', 'away'),
        gateway('new:1', 'unknown'),
      ],
      at: Date.now(),
    });
    await on.open('/admin/health');
    await on.see('No answer from: temporal.');
    const of = (part: string) => on.page.locator('.facts div').filter({ hasText: part });
    for (const part of ['Temporal', 'Central worker']) await on.see('does not answer', of(part));
    for (const part of ['Database', 'Object store']) await on.see(/^answers$/, of(part));
    await on.see(/^is up, asked last at \d\d:/, of('centre-1:7410'));
    await on.see(/^not heard of since \d\d:/, of('centre-2:7410'));
    await on.see(/^not known yet, heard of last at \d\d:/, of('new:1'));
    await on.see('2 of 4 sites are here.');
    expect(await on.page.getByRole('link', { name: 'Dream' }).count()).toBe(1);
    expect(await seriousFindings(on.page)).toEqual([]);
    server.answers.set('GET gateways', { gateways: [], at: Date.now() });
    await on.button('Look again').click();
    await on.see(/^No gateway has been heard of/);
  });
});
