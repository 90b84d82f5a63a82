/** The pages beside a run's, in a real browser, before an API that tells of a consortium at work. */
import { describeInBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';

describeInBrowser('the pages around a run', () => {
  const on = useThePage();
  const { server, open, see, button, sent, until } = on;

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
    const key = on.page.getByLabel('Key');
    expect(await key.getAttribute('placeholder')).toContain('kept');
    await on.page.getByLabel('Rounds').fill('99');
    await button('Save the parameters').click();
    await see(/50/, on.page.locator('.schema-form'));
    expect(sent('PATCH', 'consortia/penguins')).toEqual([]);
    await on.page.getByLabel('Rounds').fill('20');
    server.answers.set('PATCH consortia/penguins', scenes.inviting());
    const saved = until('PATCH', 'consortia/penguins');
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
    const saved = until('PATCH', 'consortia/penguins');
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

  test('who changes a consortium by keyboard goes on from where they were', async () => {
    await open('/consortia/penguins');
    await button('Edit').press('Enter');
    await on.page.waitForFunction(() => document.activeElement instanceof HTMLInputElement);
    await button('Leave it as it is').press('Enter');
    await on.page.waitForFunction(() => document.activeElement?.textContent === 'About');
    await button('Change the parameters').press('Enter');
    await on.page.waitForFunction(() => document.activeElement?.closest('.schema-form'));
    await button('Leave them as they are').press('Enter');
    await on.page.waitForFunction(() => document.activeElement?.textContent === 'What it computes');
  });

  test('what a form wants is said at the field that wants it', async () => {
    await open('/consortia/new');
    await button('Found it').click();
    await on.page.locator('.field .problem').waitFor();
    expect(sent('POST', 'consortia')).toEqual([]);
    server.answers.set('POST consortia', scenes.inviting());
    await on.page.getByLabel('Name').fill('Penguins');
    await on.page.locator('.field .problem').waitFor({ state: 'detached' });
    await button('Found it').click();
    await see('What it computes');
  });

  test('a run and its consortium lead to each other', async () => {
    await open('/consortia/penguins');
    await see('Runs in progress');
    await on.page
      .getByRole('link', { name: /Running/ })
      .first()
      .click();
    await on.page.locator('.crumb').getByRole('link', { name: scenes.consortium().name }).click();
    await on.page.waitForURL(/\/consortia\/penguins$/);
    await see(/^Times are local: /);
  });

  test('an invitation is answered with the name of the dataset', async () => {
    server.answers.set('POST consortia/penguins/sites/gentoo/answer', scenes.inviting());
    await open('/');
    await on.page.getByRole('link', { name: 'Answer' }).click();
    await button('Answer').click();
    await on.page.getByLabel('Dataset').fill('palmer');
    const answered = until('POST', 'consortia/penguins/sites/gentoo/answer');
    await button('Accept').click();
    await answered;
    expect(sent('POST', 'consortia/penguins/sites/gentoo/answer')).toMatchObject([
      { body: { accept: true, dataset: 'palmer' } },
    ]);
  });

  test('a consortium is founded', async () => {
    server.answers.set('POST consortia', scenes.inviting());
    await open('/consortia/new');
    await on.page.getByLabel('Name').fill('Penguins');
    await button('Found it').click();
    await see('What it computes');
    expect(sent('POST', 'consortia')).toMatchObject([{ body: { name: 'Penguins' } }]);
  });

  test('a link that invites somebody is shown once', async () => {
    server.answers.set('POST invitations', {
      ...{ id: 'i2', code: 'c', link: 'https://muster.example/invitation#c', expiresAt: Date.now() + 9_000 },
    });
    await open('/consortia/penguins');
    await on.page.getByText('Invite somebody').click();
    await on.page.getByLabel('E-mail (optional)').fill('lise@example.org');
    await button('Make a link').click();
    await see('https://muster.example/invitation#c');
    expect(sent('POST', 'invitations')).toMatchObject([
      { body: { email: 'lise@example.org', consortia: { penguins: 'member' } } },
    ]);
  });

  test('what was done is narrowed down in the address, so that it can be passed on', async () => {
    await open('/admin/audit');
    await see('started a run');
    await see('what: name, sites');
    await on.page.getByLabel('At which site').fill('biscoe');
    await on.page.getByLabel('By whom').fill('Grace');
    const asked = on.page.waitForResponse((answer) => answer.url().includes('site=biscoe'));
    await button('Filter').click();
    expect(new URL((await asked).url()).searchParams.get('who')).toBe('Grace');
    await on.page.waitForURL(/site=biscoe/);

    const again = on.page.waitForResponse((answer) => answer.url().includes('api/audit?'));
    await on.page.reload();
    expect(Object.fromEntries(new URL((await again).url()).searchParams)).toEqual({
      site: 'biscoe',
      who: 'Grace',
    });
    expect(await on.page.getByLabel('At which site').inputValue()).toBe('biscoe');
  });

  test('a computation shows what it takes, and how another is registered', async () => {
    await open('/admin/computations');
    await on.page.getByLabel('Show the parameters of penguins-regression 1.0.0').click();
    await see('"rounds"');
    await see('muster computation add computation.yaml');
  });

  test('a site is added by a command that is shown once', async () => {
    server.answers.set('POST sites', {
      ...{ siteId: 'adelie', code: 'adelie.3QF7H', expiresAt: Date.now() + 9_000 },
      siteApiUrl: 'https://muster.example:7443',
    });
    await open('/sites');
    await on.page.getByLabel('Its id').fill('adelie');
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
    await on.page
      .getByRole('link', { name: /Running/ })
      .first()
      .click();
    await on.page.locator('.stepper').waitFor();
    for (const name of ['Stop run', 'Retry', 'Show the logs']) expect(await button(name).count()).toBe(0);
  });

  test('an address without a page says so', async () => {
    await open('/nowhere');
    await see('There is no such page');
  });
});
