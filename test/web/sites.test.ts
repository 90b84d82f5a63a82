/** The pages of sites in a real browser: runs that are answered for there, how a site is cut off, and many of them. */
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { PageServer, TOKEN } from './page-server';
import * as scenes from './scenes';
import { openWatched, seriousFindings } from './watched-page';

const ASK = 'a'.repeat(64);
const ANSWER = `sites/biscoe/asks/${ASK}/answer`;

describeInBrowser('the pages of sites', () => {
  const server = new PageServer();
  let browser: Browser | undefined;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    await server.start();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server.stop();
  });
  beforeEach(async () => {
    server.reset();
    server.me = scenes.grace();
    server.consortia = [scenes.inviting()];
    server.show(scenes.running());
    for (const [call, answer] of Object.entries(scenes.lively())) server.answers.set(call, answer);
    ({ context, page, complaints } = await openWatched(browser!, server.url));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const open = (path: string) => page.goto(`${server.url}${path}#token=${TOKEN}`);
  const see = (text: string | RegExp, within: Page | Locator = page) =>
    within.getByText(text).first().waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const sent = (path: string) =>
    server.seen.filter((request) => request.method === 'POST' && request.path === `/api/${path}`);
  const dialog = () => page.getByRole('dialog');

  /** Opens the question about the run that waits at the site. */
  async function openQuestion(): Promise<void> {
    server.answers.set('GET sites/biscoe', scenes.askingSite('page'));
    await open('/');
    await page.getByRole('link', { name: 'Look at the site' }).click();
    await button(`Answer ${scenes.RUN_ID}`).click();
    await dialog().waitFor();
  }

  test('a run that waits at a site is approved there by who sees all that it would be', async () => {
    await openQuestion();
    for (const fact of [
      ...['penguins-1', 'Penguins of the Palmer Archipelago (penguins)', 'penguins-regression 1.0.0'],
      ...[/@sha256:9f9f/, 'python edge.py', /^KbV_/, /2 processors, 4Gi of memory/],
    ])
      await see(fact, dialog());
    expect(await seriousFindings(page)).toEqual([]);
    const answer = { verdict: 'approved', by: 'Grace', at: Date.now() };
    server.answers.set(`POST ${ANSWER}`, answer);
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', answer));
    await button('Approve').click();
    await see(/approved by Grace/);
    await see('The site takes it with its next sign of life.');
    expect(await dialog().count()).toBe(0);
    expect(await button(`Answer ${scenes.RUN_ID}`).count()).toBe(0);
    expect(sent(ANSWER)).toMatchObject([{ body: { verdict: 'approved' } }]);
    server.answers.set('GET sites/biscoe', { ...scenes.askingSite('page'), asks: [] });
    server.tell({ type: 'site', siteId: 'biscoe' });
    await page.getByText('Runs that wait for an answer').waitFor({ state: 'detached' });
  });

  test('a run is refused with a reason, which the consortium is told that it reads', async () => {
    await openQuestion();
    expect(await button('Refuse').isDisabled()).toBe(true);
    await see('The consortium reads it.', dialog());
    await page.getByLabel('Or refuse, and say why').fill('not before the vote');
    const answer = { verdict: 'refused', by: 'Grace', at: Date.now(), why: 'not before the vote' };
    server.answers.set(`POST ${ANSWER}`, answer);
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', answer));
    await button('Refuse').click();
    await see('“not before the vote”');
    expect(sent(ANSWER)).toMatchObject([{ body: { verdict: 'refused', why: 'not before the vote' } }]);
  });

  test('who was slower is told who was first, and sees it', async () => {
    await openQuestion();
    const first = { verdict: 'refused', by: 'Emmy', at: Date.now(), why: 'no' };
    server.instead = ({ method }) =>
      method === 'POST' ? problem(409, 'Answered', { detail: 'Emmy has refused it already.' }) : undefined;
    server.answers.set('GET sites/biscoe', scenes.askingSite('page', first));
    await button('Approve').click();
    await see(/refused by Emmy/);
  });

  test('where the site takes no answers from the page, its command is shown instead', async () => {
    server.answers.set('GET sites/biscoe', scenes.askingSite('ask'));
    await open('/sites/biscoe');
    await see('muster site approvals');
    expect(await button(`Answer ${scenes.RUN_ID}`).count()).toBe(0);
  });

  test('a site is cut off by who has said why, and is shown as it stands then', async () => {
    await open('/sites/biscoe');
    await button('Cut the site off').click();
    await see('This cannot be taken back.', dialog());
    expect(await button('Cut it off').isDisabled()).toBe(true);
    await page.getByLabel('Reason').fill('a stolen laptop');
    const revoked = { standing: { state: 'revoked', at: Date.now() }, presence: 'away' };
    const { site, ...detail } = scenes.askingSite('ask');
    const after = { ...site, ...revoked };
    server.answers.set('POST sites/biscoe/revoke', { siteId: 'biscoe', certificates: 1 });
    server.answers.set('GET sites', { sites: [after] });
    server.answers.set('GET sites/biscoe', { ...detail, asks: [], site: after });
    await button('Cut it off').click();
    await see('Cut off');
    expect(await button('Cut the site off').count()).toBe(0);
    expect(await button('Make a join code').count()).toBe(1);
    expect(sent('sites/biscoe/revoke')).toMatchObject([{ body: { reason: 'a stolen laptop' } }]);
  });

  test('who may not say who the site is is offered neither', async () => {
    server.answers.set('GET sites/biscoe', { ...scenes.askingSite('ask'), asks: [], mayEnrol: false });
    await open('/sites/biscoe');
    await see('a person approves every run');
    for (const name of ['Cut the site off', 'Make a join code']) expect(await button(name).count()).toBe(0);
  });
});
