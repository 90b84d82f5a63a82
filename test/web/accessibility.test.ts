/** For everybody: what axe says of every page, what fits a telephone, and what goes by the keyboard alone. */
import { describeInBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import { TOKEN } from './page-server';
import * as scenes from './scenes';
import { seriousFindings } from './watched-page';

describeInBrowser('every page', () => {
  const on = useThePage();

  async function isForEverybody(): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await on.page.emulateMedia({ colorScheme });
      expect(await seriousFindings(on.page)).toEqual([]);
    }
    await on.page.setViewportSize({ width: 360, height: 700 });
    expect(await on.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  }

  const PAGES: readonly (readonly [path: string, shows: string | RegExp])[] = [
    ['/', 'Waiting for you'],
    ['/consortia/penguins', 'https://example.org/hooks/muster'],
    ['/consortia/new', 'Found it'],
    ['/sites', '4 sites'],
    ['/sites/biscoe', 'grace@example.org'],
    ['/admin/people', 'lise@example.org'],
    ['/admin/computations', 'ghcr.io/muster/penguins:1'],
    ['/admin/audit', 'started a run'],
    ['/admin/health', 'Object store'],
    ['/me', 'nightly job'],
    ['/runs/unknown', 'There is no such run'],
    ['/nowhere', 'There is no such page'],
  ];

  test.each(PAGES)(
    '%s has nothing serious for axe, light and dark, and fits a telephone',
    async (path, shows) => {
      await on.open(path);
      await on.see(shows);
      await isForEverybody();
    },
  );

  test('its forms and questions have nothing serious either', async () => {
    await on.open('/admin/people');
    await on.page.getByText('Invite somebody').click();
    const form = on.page.locator('details').filter({ hasText: 'Invite somebody' });
    await form.getByRole('button', { name: 'Add a consortium' }).click();
    await on.page.getByRole('option', { name: /Penguins/ }).click();
    await isForEverybody();
    await on.button('Disable Emmy').click();
    await on.dialog().waitFor();
    await isForEverybody();
  });

  test('nor have those of a consortium', async () => {
    await on.open('/consortia/penguins');
    await on.page.getByText('Tell somebody else').click();
    await on.button('Change lab-chat').click();
    await on.button('Change the parameters').click();
    await on.page.getByLabel('Rounds').waitFor();
    await on.page.getByLabel('What was sent last to lab-chat').click();
    await isForEverybody();
  });

  describe('for somebody who is not signed in', () => {
    test('signing in, and what went wrong with it', async () => {
      on.server.answers.set('GET sign-in', {
        local: true,
        oidc: { name: 'ACME', path: '/api/sign-in/oidc' },
      });
      await on.page.goto(`${on.server.url}/sign-in?failed=unknown`);
      await on.see('nobody has invited your address');
      await on.page.getByRole('link', { name: 'Sign in with ACME' }).waitFor();
      await isForEverybody();
    });

    test('an invitation', async () => {
      on.server.answers.set('POST invitations/look', {
        ...{ by: 'Ada', expiresAt: Date.now() + 86_400_000, admin: true, resets: false },
        ...{ consortia: { penguins: 'member' }, sites: ['biscoe'] },
      });
      await on.page.goto(`${on.server.url}/invitation#a-code`);
      await on.see('Administer the site biscoe');
      await isForEverybody();
    });

    test('an invitation that is not good', async () => {
      on.server.instead = ({ path }) =>
        path.endsWith('/look') ? problem(404, 'Not Found', { detail: 'It was used already.' }) : undefined;
      await on.page.goto(`${on.server.url}/invitation#a-code`);
      await on.see('It was used already.');
      await isForEverybody();
    });

    test('choosing the first password', async () => {
      on.server.me = { ...scenes.grace(), mustChangePassword: true };
      await on.page.goto(`${on.server.url}/#token=${TOKEN}`);
      await on.page.getByLabel('Password now').waitFor();
      await isForEverybody();
    });
  });
});

describeInBrowser('by the keyboard alone', () => {
  const on = useThePage();
  const press = (key: string) => on.page.keyboard.press(key);
  const focused = () =>
    on.page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent,
    );

  /** The focus comes back a moment after what had it is gone. */
  const hasFocus = (name: string) =>
    on.page.waitForFunction(
      (wanted) =>
        (document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent) ===
        wanted,
      name,
    );

  /** Goes on from where the focus is until it is on what is called so. */
  async function tabTo(name: string): Promise<void> {
    for (let steps = 0; steps < 60; steps += 1) {
      await press('Tab');
      if ((await focused()) === name) return;
    }
    throw new Error(`${name} is not reached by Tab`);
  }

  test('a run is started, and its page takes the focus', async () => {
    await on.open('/consortia/penguins');
    await on.button('Start run').waitFor();
    await tabTo('Start run');
    await press('Enter');
    await on.page.waitForURL(`${on.server.url}/runs/${scenes.RUN_ID}`);
    await on.page.locator('.stepper').waitFor();
    expect(await on.page.evaluate(() => document.activeElement?.id)).toBe('main');
    await tabTo('Stop run');
  });

  test('a start that is refused leaves the focus where it was', async () => {
    await on.open('/consortia/penguins');
    await on.button('Start run').waitFor();
    on.server.instead = ({ method }) =>
      method === 'POST' ? problem(409, 'No', { detail: 'Not now.' }) : undefined;
    await tabTo('Start run');
    await press('Enter');
    await on.see('The run was not started. Not now.');
    await hasFocus('Start run');
  });

  test('a run is stopped after a question, which Escape leaves', async () => {
    await on.open(`/runs/${scenes.RUN_ID}`);
    await on.see('Live');
    await tabTo('Stop run');
    await press('Enter');
    await on.dialog().waitFor();
    await hasFocus('Keep it running');
    await press('Escape');
    await on.dialog().waitFor({ state: 'hidden' });
    await hasFocus('Stop run');

    await press('Enter');
    await on.dialog().waitFor();
    await press('Tab');
    await hasFocus('Stop run');
    const asked = on.until('POST', `runs/${scenes.RUN_ID}/stop`);
    await press('Enter');
    await on.see('The stop is on its way to the run…');
    await on.dialog().waitFor({ state: 'hidden' });
    await hasFocus('Stopping…');
    await asked;
    expect(on.sent('POST', `runs/${scenes.RUN_ID}/stop`)).toHaveLength(1);
    await press('Enter');
    expect(await on.dialog().count()).toBe(0);
  });

  test('the question holds the focus as long as it is asked', async () => {
    await on.open(`/runs/${scenes.RUN_ID}`);
    await on.see('Live');
    await tabTo('Stop run');
    await press('Enter');
    await on.dialog().waitFor();
    for (let steps = 0; steps < 6; steps += 1) {
      await press('Tab');
      expect(await on.dialog().evaluate((dialog) => dialog.contains(document.activeElement))).toBe(true);
    }
  });

  test('a run is retried from a place that the arrows choose, and the focus comes back', async () => {
    await on.open(`/runs/${scenes.RUN_ID}`);
    await on.see('Live');
    await tabTo('Retry');
    await press('Enter');
    await on.dialog().waitFor();
    await press('Escape');
    await on.dialog().waitFor({ state: 'hidden' });
    await hasFocus('Retry');

    await press('Enter');
    await on.dialog().waitFor();
    await press('Shift+Tab');
    await press('Shift+Tab');
    await press('ArrowDown');
    await on.page
      .getByRole('radio', { name: /From the launch/ })
      .and(on.page.locator(':checked'))
      .waitFor();
    await tabTo('Retry run');
    const asked = on.until('POST', `runs/${scenes.RUN_ID}/retry`);
    await press('Enter');
    await on.dialog().waitFor({ state: 'hidden' });
    await hasFocus('Retry');
    await asked;
    expect(on.sent('POST', `runs/${scenes.RUN_ID}/retry`)).toMatchObject([{ body: { from: 'launch' } }]);
  });

  test('what is asked before something is removed goes by it too', async () => {
    on.server.answers.set('DELETE consortia/penguins/people/p2', null);
    await on.open('/consortia/penguins');
    await on.button('Remove Emmy').focus();
    await press('Enter');
    await on.dialog().waitFor();
    await press('Escape');
    await on.dialog().waitFor({ state: 'hidden' });
    await hasFocus('Remove Emmy');
    await press('Enter');
    await on.dialog().waitFor();
    await press('Tab');
    const done = on.until('DELETE', 'consortia/penguins/people/p2');
    await press('Enter');
    await done;
  });
});
