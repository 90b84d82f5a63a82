/** The pages beside a run's, in a real browser, before an API that tells of a consortium at work. */
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { PageServer, TOKEN } from './page-server';
import * as scenes from './scenes';
import { openWatched } from './watched-page';

describeInBrowser('the pages around a run', () => {
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
    server.me = { ...scenes.grace(), admin: true };
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
  const sent = (method: string, path: string) =>
    server.seen.filter((request) => request.method === method && request.path === `/api/${path}`);
  const until = (method: string, path: string) =>
    page.waitForResponse((answer) => answer.request().method() === method && answer.url().endsWith(path));

  test('what has changed is told, and is looked at anew without anybody asking', async () => {
    await open('/sites');
    await see('away for');
    server.answers.set('GET sites', { sites: [] });
    server.tell({ type: 'site', siteId: 'dream' });
    await see('You see no site yet.');
  });

  test('parameters are a form of their schema; secret ones are kept, and never shown', async () => {
    await open('/consortia/penguins');
    await button('Change the parameters').click();
    const key = page.getByLabel('Key');
    expect(await key.getAttribute('placeholder')).toContain('kept');
    await page.getByLabel('Rounds').fill('99');
    await button('Save the parameters').click();
    await see(/50/, page.locator('.schema-form'));
    expect(sent('PATCH', 'consortia/penguins')).toEqual([]);
    await page.getByLabel('Rounds').fill('20');
    server.answers.set('PATCH consortia/penguins', scenes.inviting());
    const saved = until('PATCH', '/api/consortia/penguins');
    await button('Save the parameters').click();
    await saved;
    const [request] = sent('PATCH', 'consortia/penguins');
    expect(request?.headers['if-match']).toBe('"7"');
    expect(request?.body).toMatchObject({ parameters: { rounds: 20, response: 'body_mass_g' } });
    expect(JSON.stringify(request?.body)).not.toContain('key');
  });

  test('a kept secret is taken away, unless a run needs it', async () => {
    await open('/consortia/penguins');
    await button('Change the parameters').click();
    await button('Take away Passphrase').click();
    await see('It is taken away when you save.');
    await button('Keep Passphrase').click();
    await button('Take away Passphrase').click();
    expect(await button('Take away Key').count()).toBe(0);
    server.answers.set('PATCH consortia/penguins', scenes.inviting());
    const saved = until('PATCH', '/api/consortia/penguins');
    await button('Save the parameters').click();
    await saved;
    expect(sent('PATCH', 'consortia/penguins')).toMatchObject([
      { body: { parameters: { store: { pass: null } } } },
    ]);
    expect(JSON.stringify(sent('PATCH', 'consortia/penguins'))).not.toContain('"key"');
  });

  test('a change of what somebody else has changed meanwhile is refused, and said to be', async () => {
    await open('/consortia/penguins');
    await button('Edit').click();
    server.instead = ({ method }) =>
      method === 'PATCH' ? problem(412, 'Changed', { detail: 'It was changed meanwhile.' }) : undefined;
    await button('Save').click();
    await see('It was not changed. It was changed meanwhile.');
  });

  test('an invitation is answered with the name of the dataset', async () => {
    server.answers.set('POST consortia/penguins/sites/gentoo/answer', scenes.inviting());
    await open('/');
    await page.getByRole('link', { name: 'Answer' }).click();
    await button('Answer').click();
    await page.getByLabel('Dataset').fill('palmer');
    const answered = until('POST', '/answer');
    await button('Accept').click();
    await answered;
    expect(sent('POST', 'consortia/penguins/sites/gentoo/answer')).toMatchObject([
      { body: { accept: true, dataset: 'palmer' } },
    ]);
  });

  test('a consortium is founded', async () => {
    server.answers.set('POST consortia', scenes.inviting());
    await open('/consortia/new');
    await page.getByLabel('Name').fill('Penguins');
    await button('Found it').click();
    await see('What it computes');
    expect(sent('POST', 'consortia')).toMatchObject([{ body: { name: 'Penguins' } }]);
  });

  test('a link that invites somebody is shown once', async () => {
    server.answers.set('POST invitations', {
      ...{ id: 'i2', code: 'c', link: 'https://muster.example/invitation#c', expiresAt: Date.now() + 9_000 },
    });
    await open('/consortia/penguins');
    await page.getByText('Invite somebody').click();
    await page.getByLabel('E-mail (optional)').fill('lise@example.org');
    await button('Make a link').click();
    await see('https://muster.example/invitation#c');
    expect(sent('POST', 'invitations')).toMatchObject([
      { body: { email: 'lise@example.org', consortia: { penguins: 'member' } } },
    ]);
  });

  test('what was done is narrowed down in the address, so that it can be passed on', async () => {
    await open('/admin/audit');
    await see('started a run');
    await page.getByLabel('At which site').fill('biscoe');
    await page.getByLabel('By whom').fill('Grace');
    const asked = page.waitForResponse((answer) => answer.url().includes('site=biscoe'));
    await button('Filter').click();
    expect(new URL((await asked).url()).searchParams.get('who')).toBe('Grace');
    await page.waitForURL(/site=biscoe/);

    const again = page.waitForResponse((answer) => answer.url().includes('api/audit?'));
    await page.reload();
    expect(Object.fromEntries(new URL((await again).url()).searchParams)).toEqual({
      site: 'biscoe',
      who: 'Grace',
    });
    expect(await page.getByLabel('At which site').inputValue()).toBe('biscoe');
  });

  test('a computation shows what it takes, and how another is registered', async () => {
    await open('/admin/computations');
    await page.getByLabel('Show the parameters of penguins-regression 1.0.0').click();
    await see('"rounds"');
    await see('muster computation add computation.yaml');
  });

  test('a site is added by a command that is shown once', async () => {
    server.answers.set('POST sites', {
      ...{ siteId: 'adelie', code: 'adelie.3QF7H', expiresAt: Date.now() + 9_000 },
      siteApiUrl: 'https://muster.example:7443',
    });
    await open('/sites');
    await page.getByLabel('Its id').fill('adelie');
    await button('Make a join code').click();
    await see('muster site join https://muster.example:7443 adelie.3QF7H');
    expect(sent('POST', 'sites')).toMatchObject([{ body: { id: 'adelie' } }]);
  });

  test('who may only look is offered nothing else', async () => {
    server.me = { ...scenes.grace(), consortia: { penguins: 'viewer' }, sites: [] };
    await open('/consortia/penguins');
    await see('Changed the parameters.');
    for (const name of ['Start run', 'Edit', 'Change the parameters'])
      expect(await button(name).count()).toBe(0);
    await page.getByRole('link', { name: /Running/ }).click();
    await page.locator('.stepper').waitFor();
    for (const name of ['Stop run', 'Retry', 'Show the logs']) expect(await button(name).count()).toBe(0);
  });

  test('an address without a page says so', async () => {
    await open('/nowhere');
    await see('There is no such page');
  });
});
