/** What people see and do: the page in a real browser, before an API that tells of runs in every state. */
import type { RunDetail } from '../../workflows/api-contract';
import { describeInBrowser } from '../support/browser';
import { json, problem, type Answer } from '../support/contract-server';
import { useThePage } from './on-the-page';
import { TOKEN, type PageServer } from './page-server';
import * as scenes from './scenes';
import { seriousFindings } from './watched-page';

const RUN_PAGE = `/runs/${scenes.RUN_ID}`;
const unplugged: Answer = (_request, response) => response.destroy();

describeInBrowser('the page', () => {
  const on = useThePage(() => undefined);
  const { server, open, see, button, dialog } = on;

  async function openRun(scene: RunDetail): Promise<void> {
    server.show(scene);
    await open(RUN_PAGE);
    await see('Live');
  }
  const row = (name: string) =>
    on.page.locator('.node').filter({ has: on.page.getByText(name, { exact: true }) });
  /** What people asked for; the page itself signs in by the link. */
  const posts = () =>
    server.seen.filter(
      ({ method, path }) => method === 'POST' && !['/api/session', '/api/codec/pass'].includes(path),
    );
  /** Every follower has joined: what is sent now arrives. */
  const send = (...event: Parameters<PageServer['send']>) => server.send(...event);

  describe('access', () => {
    test("a link with an operator's token signs in, and is taken out of the address bar", async () => {
      await openRun(scenes.running());
      expect(on.page.url()).toBe(server.url + RUN_PAGE);
      await on.page.reload();
      await see('Penguins of the Palmer Archipelago');
      const shown = server.seen.filter(({ headers }) => headers.authorization !== undefined);
      expect(shown.map(({ path }) => path)).toEqual(['/api/session']);
    });

    test('who is not signed in is asked for a password, and comes to the page that they wanted', async () => {
      server.show(scenes.running());
      server.instead = ({ method, path }) =>
        method === 'POST' && path === '/api/sign-in'
          ? problem(401, 'Unauthorized', { detail: 'E-mail or password is wrong.' })
          : undefined;
      await on.page.goto(server.url + RUN_PAGE);
      await on.page.getByLabel('E-mail').fill('grace@example.org');
      await on.page.getByLabel('Password').fill('wrong');
      await button('Sign in').click();
      await see('E-mail or password is wrong.');
      server.instead = () => undefined;
      server.answers.set('POST sign-in', {});
      server.me = scenes.grace();
      await button('Sign in').click();
      await see('Live');
      await see('Grace');
      expect(posts().at(-1)?.body).toEqual({ email: 'grace@example.org', password: 'wrong' });
    });

    test('the OpenID provider is a button that comes back to the page', async () => {
      server.answers.set('GET sign-in', { local: false, oidc: { name: 'ACME', path: '/api/sign-in/oidc' } });
      await on.page.goto(server.url + RUN_PAGE);
      const link = on.page.getByRole('link', { name: 'Sign in with ACME' });
      expect(await link.getAttribute('href')).toBe('/api/sign-in/oidc?to=%2Fruns%2Fpenguins-1');
    });

    test('a link that is not good says so; another one in the same tab takes its place', async () => {
      server.show(scenes.running());
      await open(RUN_PAGE, 'worn-out');
      await see('The link does not sign you in');
      await on.page.evaluate((token) => (location.hash = `token=${token}`), TOKEN);
      await see('Live');
    });

    test('a session that ends asks to sign in again', async () => {
      server.consortia = [scenes.consortium()];
      await open('/');
      await button('Start run').waitFor();
      server.instead = ({ path }) => (path === '/api/sign-in' ? undefined : problem(401, 'Unauthorized'));
      await button('Start run').click();
      await on.page.getByLabel('E-mail').waitFor();
    });

    test('a password that somebody else chose is changed before anything else', async () => {
      server.me = { ...scenes.grace(), mustChangePassword: true };
      server.answers.set('PUT me/password', null);
      await open('/');
      await on.page.getByLabel('Password now').fill('given to me once');
      await on.page.getByLabel('New password').fill('a horse and a battery');
      server.me = scenes.grace();
      await button('Change password').click();
      await see('You are in no consortium yet.');
    });

    test('an invitation says what it gives, and makes an account', async () => {
      server.answers.set('POST invitations/look', {
        ...{ by: 'Ada', email: 'grace@example.org', expiresAt: Date.now() + 86_400_000, admin: false },
        ...{ consortia: { penguins: 'member' }, sites: ['biscoe'], resets: false },
      });
      server.answers.set('POST invitations/accept', scenes.grace());
      await on.page.goto(`${server.url}/invitation#a-code`);
      await see('See the runs, logs and results of the consortium penguins');
      await see('Administer the site biscoe');
      await on.page.getByLabel('Your name').fill('Grace');
      await on.page.getByLabel('New password').fill('a horse and a battery');
      await button('Make my account').click();
      await on.page.waitForURL(`${server.url}/`);
      expect(posts().at(-1)?.body).toEqual({
        ...{ code: 'a-code', name: 'Grace', email: 'grace@example.org' },
        password: 'a horse and a battery',
      });
    });
  });

  describe("one's own account", () => {
    beforeEach(() => {
      server.me = scenes.grace();
      server.answers.set('GET me/sessions', scenes.sessions());
      server.answers.set('GET me/tokens', scenes.tokens());
    });

    test('tells what one may do, where one is signed in, and which tokens there are', async () => {
      await open('/me');
      await see('Lead the consortium penguins');
      await see('Firefox on Linux');
      await see('Edge on Windows');
      await see('nightly job');
    });

    test('a token is made, and shown once', async () => {
      await open('/me');
      await on.page.getByText('Make a token').click();
      await on.page.getByLabel('Name').fill('my laptop');
      server.answers.set('POST me/tokens', { ...scenes.tokens().tokens[0], token: 'mst_secret' });
      await button('Make it').click();
      await see('mst_secret');
      expect(posts().at(-1)?.body).toMatchObject({ name: 'my laptop', scope: 'read' });
    });

    test('signing out leads to signing in', async () => {
      server.answers.set('POST sign-out', null);
      await open('/me');
      await button('Sign out').click();
      await on.page.getByLabel('E-mail').waitFor();
    });
  });

  describe('the first page', () => {
    test('shows what would be started, and who takes part', async () => {
      server.consortia = [{ ...scenes.consortium(), secrets: ['/store/key'] }];
      server.show(scenes.failed());
      await open('/');
      await see('3 sites: Biscoe, Dream and Torgersen');
      await see('["flipper_length_mm"]');
      await see('store/key');
      const run = on.page.getByRole('link', { name: /Failed/ });
      await see('3 sites', run);
      await run.click();
      await see('NodeExited');
    });

    test('a double click on Start run starts one run and shows it', async () => {
      server.consortia = [scenes.consortium()];
      server.show(scenes.running());
      await open('/');
      await button('Start run').dblclick();
      await on.page.waitForURL(server.url + RUN_PAGE);
      await see('Live');
      expect(posts()).toHaveLength(1);
      expect(posts()[0]).toMatchObject({ path: '/api/consortia/penguins/runs', body: {} });
    });

    test('pressing again after a lost connection asks for the same run', async () => {
      server.consortia = [scenes.consortium()];
      server.show(scenes.running());
      await open('/');
      await button('Start run').waitFor();
      server.instead = ({ method }) => (method === 'POST' ? unplugged : undefined);
      await button('Start run').click();
      await see('The run was not started. The central API does not answer.');
      server.instead = () => undefined;
      await button('Start run').click();
      await on.page.waitForURL(server.url + RUN_PAGE);
      const keys = posts().map(({ headers }) => headers['idempotency-key']);
      expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
      expect(new Set(keys).size).toBe(1);
    });

    test('what is wrong with the parameters is named', async () => {
      server.consortia = [scenes.consortium()];
      await open('/');
      await button('Start run').waitFor();
      const errors = [{ pointer: '/parameters/rounds', detail: 'must be at most 5' }];
      server.instead = ({ method }) =>
        method === 'POST' ? problem(422, 'Invalid parameters', { errors }) : undefined;
      await button('Start run').click();
      await see('/parameters/rounds: must be at most 5');
      expect(await button('Start run').isEnabled()).toBe(true);
    });

    test('nothing there yet is said, not shown as a void', async () => {
      await open('/');
      await see('You are in no consortium yet.');
      await see('No run has ended yet.');
    });
  });

  describe('a run', () => {
    test('is a picture of its phases and its nodes', async () => {
      await openRun(scenes.running());
      expect(await on.page.locator('.stepper [aria-current=step]').textContent()).toBe('Running');
      await see('round 3 of 10 · 30 %', row('Biscoe'));
      await see('Launching', row('Dream'));
      await see('Fetching kit', row('Torgersen'));
      expect(await on.page.title()).toBe('Running · Penguins of the Palmer Archipelago – Muster');
      expect(await on.page.getByRole('link', { name: 'Open in Temporal' }).getAttribute('href')).toContain(
        'penguins-1',
      );
    });

    test('moves on as it happens, without losing what the person has open', async () => {
      await openRun(scenes.running());
      const details = row('Dream').locator('summary');
      await details.focus();
      await on.page.keyboard.press('Enter');
      send(scenes.RUN_ID, 'node', scenes.node('dream', 'running', { containerId: 'c0ffee' }));
      await see('c0ffee', row('Dream'));
      await see('Running', row('Dream'));
      expect(await details.evaluate((summary) => summary === document.activeElement)).toBe(true);

      const { run } = scenes.complete();
      send(scenes.RUN_ID, 'run', run);
      await see('global_model.json');
      await see(/took \d+ s/);
      expect(await button('Stop run').count()).toBe(0);
    });

    test('that waits for somebody says what to mend, and where', async () => {
      await openRun(scenes.attention());
      await see('retrying: DataMissing', row('Dream'));
      const error = on.page.locator('.error');
      for (const text of [
        'Dream',
        'DataMissing',
        'while launching',
        'being retried',
        'no folder /srv/data/dream',
        'Seen 4 times',
      ])
        await see(text, error);
      await see('The site administrator maps the dataset to an existing folder', error);
      send(scenes.RUN_ID, 'node', scenes.node('dream', 'running', { since: Date.now() }));
      await see('overcome', error);
    });

    test('that failed shows where, and every error by name', async () => {
      await openRun(scenes.failed());
      expect(await on.page.locator('.stepper [aria-current=step]').innerText()).toMatch(
        /^Failed\s+while running$/,
      );
      await see('Biscoe: NodeExited while running');
      await see('Failed', row('Biscoe'));
      await see('Refused', row('Dream'));
      await see('Lost', row('Torgersen'));
      for (const type of ['NodeExited', 'ComputationNotAllowed', 'SiteSilent'])
        expect(await on.page.locator('.error').filter({ hasText: type }).count()).toBe(1);
      await row('Biscoe').locator('summary').click();
      await see('bb02', row('Biscoe'));
    });

    test('that does not exist is said to', async () => {
      await open('/runs/unknown');
      await see('There is no run unknown.');
    });

    test('told by a newer API asks to be reloaded instead of showing half of it', async () => {
      await openRun(scenes.running());
      send(scenes.RUN_ID, 'node', { node: 'dream', state: 'dancing' });
      await see('Reload the page');
    });

    test('a link of the API that is no web address is not offered', async () => {
      const scene = scenes.running();
      await openRun({ ...scene, links: { ...scene.links, temporal: 'javascript:alert(1)' } });
      expect(await on.page.getByRole('link', { name: 'Open in Temporal' }).count()).toBe(0);
    });
  });

  describe('stopping', () => {
    test('asks first; keeping the run running asks nothing of the API', async () => {
      await openRun(scenes.running());
      await button('Stop run').click();
      await see('The central node and 3 sites are asked to end now.');
      await on.page.keyboard.press('Enter');
      await dialog().waitFor({ state: 'hidden' });
      expect(posts()).toEqual([]);
    });

    test('tells that it was pressed, then each confirmation as it comes in', async () => {
      await openRun(scenes.running());
      await button('Stop run').click();
      await on.page.getByLabel('Reason (optional)').fill('wrong parameters');
      await dialog().getByRole('button', { name: 'Stop run' }).click();
      await see('The stop is on its way to the run…');
      expect(await button('Stopping…').isDisabled()).toBe(true);

      const { run, nodes } = scenes.stopping();
      send(scenes.RUN_ID, 'run', run);
      for (const view of nodes) send(scenes.RUN_ID, 'node', view);
      await see('Stop asked for by ada');
      await see('2 of 4 nodes confirmed: Biscoe and Dream.');
      await see('Waiting for Central node and Torgersen.');
      await see('Stopped', row('Biscoe'));
      await see('Stopping', row('Torgersen'));

      send(scenes.RUN_ID, 'node', scenes.node('central', 'stopped'));
      send(scenes.RUN_ID, 'node', scenes.node('torgersen', 'lost'));
      send(scenes.RUN_ID, 'run', { ...run, state: 'stopped' });
      await see('3 of 4 nodes confirmed');
      await see('Not confirmed: Torgersen.');
      expect(posts()).toMatchObject([{ path: `/api${RUN_PAGE}/stop`, body: { reason: 'wrong parameters' } }]);
    });

    test('that is refused says so, and can be asked for again', async () => {
      await openRun(scenes.running());
      server.instead = ({ method }) =>
        method === 'POST'
          ? problem(403, 'Forbidden', { detail: 'Only a lead of penguins may stop its runs.' })
          : undefined;
      await button('Stop run').click();
      await dialog().getByRole('button', { name: 'Stop run' }).click();
      await see('The stop was not accepted. Only a lead of penguins may stop its runs.');
      expect(await button('Stop run').isEnabled()).toBe(true);
    });
  });

  describe('retrying', () => {
    test('a run that failed begins anew, by the keyboard alone, and once', async () => {
      await openRun(scenes.failed());
      await button('Retry').focus();
      await on.page.keyboard.press('Enter');
      await see('New kits, new nodes, new results.', dialog());
      await on.page.getByLabel('Reason (optional)').focus();
      await on.page.keyboard.type('the column is there now');
      await on.page.keyboard.press('Enter');
      await dialog().waitFor({ state: 'hidden' });
      expect(posts()).toMatchObject([
        { path: `/api${RUN_PAGE}/retry`, body: { from: 'provision', reason: 'the column is there now' } },
      ]);
      expect(posts()[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
    });

    test('a run at work can begin anew at one site alone', async () => {
      await openRun(scenes.running());
      await button('Retry').click();
      await dialog().getByText('At the sites alone').click();
      await dialog()
        .getByRole('button', { name: /^All sites/ })
        .click();
      await on.page.getByRole('option', { name: 'Dream' }).click();
      await dialog().getByRole('button', { name: 'Retry run' }).click();
      await dialog().waitFor({ state: 'hidden' });
      expect(posts()).toMatchObject([{ body: { from: 'sites', site: 'dream' } }]);
    });

    test('that is refused says why', async () => {
      await openRun(scenes.failed());
      server.instead = ({ method }) =>
        method === 'POST' ? problem(409, 'Conflict', { detail: 'Its kits are gone.' }) : undefined;
      await button('Retry').click();
      await dialog().getByRole('button', { name: 'Retry run' }).click();
      await see('The run is not retried. Its kits are gone.', dialog());
    });

    test('a run that is complete is not offered it', async () => {
      await openRun(scenes.complete());
      expect(await button('Retry').count()).toBe(0);
    });
  });

  describe('what a run left', () => {
    test('results are downloads', async () => {
      await openRun(scenes.complete());
      const link = on.page.getByRole('link', { name: 'global_model.json' });
      await link.waitFor();
      expect(await link.getAttribute('href')).toBe(`/api${RUN_PAGE}/results/file?name=global_model.json`);
    });

    test('logs are shown node by node', async () => {
      server.logs.set('central', ['round 1\n', 'round 2\n']);
      server.logs.set('dream', ['no such column\n']);
      await openRun(scenes.failed());
      await button('Show the logs').click();
      await see(/round 1\s+round 2/);
      await see('The log has ended');
      await on.page
        .locator('.logs')
        .getByRole('button', { name: /Central node/ })
        .click();
      await on.page.getByRole('option', { name: 'Dream' }).click();
      await see('no such column');
    });

    test('attempts are told once there were several', async () => {
      await openRun(scenes.retried());
      await see('Retried from the beginning', on.page.getByRole('table'));
      await see('“the disk was full”', on.page.getByRole('table'));
    });

    test("each site's workflow is a link into Temporal", async () => {
      await openRun(scenes.running());
      await row('Dream').locator('summary').click();
      const link = row('Dream').getByRole('link', { name: 'Its workflow in Temporal' });
      expect(await link.getAttribute('href')).toMatch(/\/workflows\/penguins-1\.site\.dream$/);
    });
  });

  describe('for everybody', () => {
    test.each(['light', 'dark'] as const)('nothing serious is found by axe (%s)', async (colorScheme) => {
      await on.page.emulateMedia({ colorScheme });
      server.consortia = [scenes.consortium()];
      for (const scene of [
        scenes.running(),
        scenes.attention(),
        scenes.failed(),
        scenes.stopping(),
        scenes.retried(),
        scenes.crowd(100),
      ]) {
        await openRun(scene);
        expect(await seriousFindings(on.page)).toEqual([]);
        await on.page.goto('about:blank');
      }
      await open('/');
      await button('Start run').waitFor();
      expect(await seriousFindings(on.page)).toEqual([]);
    });
  });

  describe('a lost connection', () => {
    test('is said, with the time; what was missed comes when it is back', async () => {
      await openRun(scenes.running());
      send(scenes.RUN_ID, 'node', scenes.node('torgersen', 'launching'));
      await see('Launching', row('Torgersen'));

      server.instead = () => unplugged;
      server.cutStreams();
      await see(/Connection lost, last heard \d\d:\d\d:\d\d\. What you see may be out of date\./);
      send(scenes.RUN_ID, 'node', scenes.node('torgersen', 'running', { containerId: 'c0ffee' }));

      server.instead = () => undefined;
      await see('Running', row('Torgersen'));
      await see('Live');
      expect(await on.page.getByText('Connection lost').count()).toBe(0);
      const resumed = server.seen.filter(({ path }) => path.endsWith('/events')).at(-1);
      expect(resumed?.headers['last-event-id']).toBe('1');
    });

    test('before anything was heard says that the API does not answer, and goes on trying', async () => {
      server.show(scenes.running());
      server.instead = () => json(503, {});
      await open(RUN_PAGE);
      await see(/status 503.*Trying again…/);
      server.instead = () => undefined;
      await see('Live');
    });
  });

  describe('a thousand sites', () => {
    test('are a mosaic with counts, and rows for those that need a look', async () => {
      await openRun(scenes.crowd(1000));
      await see('1,000 sites');
      expect(await on.page.locator('.square').count()).toBe(1000);
      await button('12 Being retried').waitFor();
      await see('30 sites need a look; the first 10 are shown');
      await see('12 nodes', on.page.locator('.error'));
      await see('and 7 more nodes', on.page.locator('.error'));
    });

    test('are narrowed down by state, by name, and to one', async () => {
      await openRun(scenes.crowd(1000));
      await button('8 Lost').click();
      await see('8 sites: lost');
      expect(await on.page.locator('.crowd .node[data-state=lost]').count()).toBe(8);

      await on.page.getByLabel('Find a site').fill('hospital 77');
      await see(/\d+ sites match “hospital 77”/);

      await on.page.locator('.square').nth(2).click();
      await see('9f3c1e0b77aa', row('Hospital 3'));
    });

    test('are walked through with the arrow keys', async () => {
      await openRun(scenes.crowd(100));
      const focused = () => on.page.evaluate(() => document.activeElement?.getAttribute('data-key'));
      await on.page.getByLabel('Find a site').focus();
      await on.page.keyboard.press('Tab');
      expect(await focused()).toBe('site-0001');
      await on.page.keyboard.press('ArrowRight');
      expect(await focused()).toBe('site-0002');
      await on.page.keyboard.press('End');
      expect(await focused()).toBe('site-0100');
      await on.page.keyboard.press('ArrowUp');
      await on.page.keyboard.press('Enter');
      expect(await on.page.locator('.square[aria-pressed=true]').getAttribute('data-key')).toBe(
        await focused(),
      );
    });

    test('change in place', async () => {
      await openRun(scenes.crowd(1000));
      const before = await on.page.locator('.square').nth(500).elementHandle();
      for (let site = 1; site <= 1000; site++)
        send(scenes.RUN_ID, 'node', scenes.node(`site-${String(site).padStart(4, '0')}`, 'complete'));
      await button('1,000 Complete').waitFor();
      expect(await before.getAttribute('class')).toContain('tone-good');
    });
  });

  test('light and dark are followed, and narrow screens hold all of it', async () => {
    const paper = () => on.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await openRun(scenes.attention());
    const light = await paper();
    await on.page.emulateMedia({ colorScheme: 'dark' });
    expect(await paper()).not.toBe(light);
    await on.page.setViewportSize({ width: 360, height: 700 });
    expect(await on.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
