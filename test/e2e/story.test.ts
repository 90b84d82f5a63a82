/**
 * The whole story in a browser, with real parts and nothing given beforehand: an admin invites a lead, two sites join by code,
 * the lead founds a consortium, starts, watches and stops runs, a site breaks and a run is retried, and results are downloaded.
 * With MUSTER_SCREENSHOTS set to a folder, pictures of the pages are put there, light and dark: docs/images has them.
 */
import type { Browser, Page } from 'playwright-core';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeInBrowser, launchBrowser } from '../support/browser';
import { replayAll } from '../support/consortium';
import { useFolder } from '../support/folder';
import { Instance, SiteMachine } from '../support/instance';

jest.setTimeout(300_000);

const COMPUTATION = join(__dirname, '../../computations/penguins');
const PASSWORD = 'three flippers and a beak';
const SITES = ['biscoe', 'dream'];

const folder = useFolder();

describeInBrowser('from an empty instance to retried runs, in browsers', () => {
  let instance: Instance;
  let browser: Browser | undefined;
  let admin: Page;
  let lead: Page;
  let steward: Page;
  const machines = new Map(SITES.map((id) => [id, new SiteMachine(id, join(folder, id))]));
  const data = (site: string) => join(folder, `${site}-data`);

  beforeAll(async () => {
    instance = await Instance.open({ name: 'penguins', folder: COMPUTATION });
    browser = await launchBrowser();
    [admin, lead, steward] = await Promise.all([newPage(), newPage(), newPage()]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([...machines.values()].map((machine) => machine.stop()));
    const unreplayable = await replayAll(instance.stack);
    await instance.stack.end();
    expect(unreplayable).toEqual([]);
  });

  /** Of somebody who has a browser of their own. */
  async function newPage(): Promise<Page> {
    const context = await browser!.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    return page;
  }

  const go = (page: Page, path: string) => page.goto(instance.url + path);
  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
  const until = (page: Page, name: string | RegExp, state: RegExp) =>
    page.locator('.node').filter({ hasText: name }).getByText(state).first().waitFor();
  const everyNode = (page: Page, state: RegExp) =>
    Promise.all([/^central/i, ...SITES].map((name) => until(page, name, state)));

  /** What is shown once after a form was sent. */
  async function shownOnce(page: Page): Promise<string> {
    const code = page.locator('.shown-once code').last();
    await code.waitFor();
    return (await code.innerText()).trim();
  }

  /** Makes the link of an invitation, from the form of this name on the page. */
  async function inviteBy(page: Page, form: string): Promise<string> {
    const details = page.locator('details').filter({ has: page.locator('summary', { hasText: form }) });
    await details.locator('summary').click();
    await details.getByRole('button', { name: 'Make a link' }).click();
    return shownOnce(page);
  }

  async function makeAccount(page: Page, link: string, name: string, email: string): Promise<void> {
    await page.goto(link);
    await page.getByLabel('Your name').fill(name);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
    await press(page, 'Make my account');
    await page.getByRole('link', { name }).waitFor();
  }

  /** Puts pictures of a page where they were asked for. */
  async function picture(page: Page, name: string): Promise<void> {
    const { MUSTER_SCREENSHOTS: place } = process.env;
    if (place === undefined) return;
    await mkdir(place, { recursive: true });
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: join(place, `${name}-${colorScheme}.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  }

  async function setParameter(name: string, value: string): Promise<void> {
    await go(lead, '/consortia/palmer-penguins');
    await press(lead, 'Change the parameters');
    await lead.getByLabel(name).fill(value);
    await press(lead, 'Save');
    await lead.getByRole('button', { name: 'Change the parameters' }).waitFor();
  }

  async function startRun(): Promise<string> {
    await go(lead, '/consortia/palmer-penguins');
    await press(lead, 'Start run');
    await lead.waitForURL(/\/runs\//);
    return lead.url();
  }

  it('an admin signs in by the link of the stack, and invites a lead', async () => {
    await admin.goto(instance.adminLink);
    await admin.getByRole('link', { name: 'People' }).click();
    const link = await inviteBy(admin, 'Invite somebody');
    expect(link).toMatch(/\/invitation#/);
    await lead.goto(link);
    await lead.getByLabel('Your name').waitFor();
    await picture(lead, 'invitation');
    await makeAccount(lead, link, 'Lea Lead', 'lea@example.org');
  });

  it('two sites join by code, each with an administrator of its own', async () => {
    for (const [id, machine] of machines) {
      await go(admin, '/sites');
      await admin.getByLabel('Its id').fill(id);
      await press(admin, 'Make a join code');
      const command = await shownOnce(admin);
      const [, address = '', code = ''] = /muster site join (\S+) (\S+)/.exec(command) ?? [];
      await machine.join(address, code);
      await mkdir(data(id), { recursive: true });
      await copyFile(join(COMPUTATION, 'data', id, 'penguins.csv'), join(data(id), 'penguins.csv'));
      await machine.allow({
        computations: [{ name: 'penguins', runtime: 'process', folder: COMPUTATION }],
        datasets: { penguins: data(id) },
        logs: 'stream',
      });
      await machine.start();
    }
    for (const id of SITES) {
      await go(admin, `/sites/${id}`);
      await admin.getByText('here', { exact: true }).first().waitFor();
      const link = await inviteBy(admin, 'Invite somebody to administer it');
      if (id === SITES[0]) await makeAccount(steward, link, 'Sam Steward', 'sam@example.org');
      else {
        await steward.goto(link);
        await press(steward, /^Accept as/);
        await steward.waitForURL(/\/$/);
      }
    }
  });

  it('the lead founds a consortium and invites the sites, which accept and name their data', async () => {
    await go(lead, '/consortia/new');
    await lead.getByLabel('Name', { exact: true }).fill('Palmer penguins');
    await lead.getByLabel(/^What it is about/).fill('Do longer flippers come with heavier penguins?');
    await press(lead, 'Found it');
    await lead.waitForURL(/\/consortia\/palmer-penguins$/);
    await lead.locator('summary', { hasText: 'Invite a site' }).click();
    for (const id of SITES) {
      await lead.getByLabel('Its id').fill(id);
      await press(lead, 'Invite');
      await lead.getByRole('button', { name: `Take back ${id}` }).waitFor();
    }
    for (const id of SITES) {
      await go(steward, `/sites/${id}`);
      await press(steward, 'Answer');
      await steward.getByLabel('Dataset').fill('penguins');
      if (id === SITES[0]) await picture(steward, 'site');
      await press(steward, 'Accept');
      await steward.getByText('accepted', { exact: true }).waitFor();
    }
    await lead.getByText('takes part').nth(1).waitFor();
  });

  it('the lead chooses the computation, starts a run, sees it complete, and downloads what it found', async () => {
    await lead.getByRole('button', { name: /Computation/ }).click();
    await lead.getByRole('option', { name: 'penguins' }).click();
    await setParameter('pauseSeconds', '3');
    await startRun();
    await everyNode(lead, /^running$/i);
    await picture(lead, 'run');
    await everyNode(lead, /^complete$/i);
    await picture(lead, 'run-complete');
    const [download] = await Promise.all([
      lead.waitForEvent('download'),
      lead.getByRole('link', { name: /global_fit\.json/ }).click(),
    ]);
    const fit: unknown = JSON.parse(await readFile(await download.path(), 'utf8'));
    expect(fit).toMatchObject({ n: expect.any(Number) as number });
    await go(lead, '/consortia/palmer-penguins');
    await lead.getByText('complete').first().waitFor();
    await lead.getByRole('cell', { name: 'yes', exact: true }).nth(1).waitFor();
    await picture(lead, 'consortium');
  });

  it('the lead stops a run, and every node confirms it', async () => {
    await setParameter('pauseSeconds', '300');
    await startRun();
    await everyNode(lead, /^running$/i);
    await go(admin, '/');
    await admin.getByText('Palmer penguins').first().waitFor();
    await picture(admin, 'home');
    await press(lead, /^Stop/);
    await lead
      .getByRole('dialog')
      .getByLabel(/^Reason/)
      .fill('the wrong year');
    await lead.getByRole('dialog').getByRole('button', { name: /^Stop/ }).click();
    await everyNode(lead, /^stopped$/i);
    await picture(lead, 'run-stopped');
  });

  it('a site whose data is broken fails the run by name, and once it is mended the run is retried', async () => {
    await setParameter('pauseSeconds', '0');
    const file = join(data('dream'), 'penguins.csv');
    const whole = await readFile(file);
    await writeFile(file, 'this is no table\n');
    await startRun();
    await until(lead, 'dream', /^failed$/i);
    await lead.getByRole('button', { name: 'Retry' }).waitFor();
    await picture(lead, 'run-failed');
    await writeFile(file, whole);
    await press(lead, 'Retry');
    await lead
      .getByRole('dialog')
      .getByRole('button', { name: /^Retry/ })
      .click();
    await everyNode(lead, /^complete$/i);
  });

  it('the admin can look up who did what', async () => {
    await go(admin, '/admin/audit');
    await admin.getByText('lea@example.org').first().waitFor();
    for (const [path, name] of [
      ['/admin/audit', 'audit'],
      ['/admin/people', 'people'],
      ['/admin/computations', 'computations'],
      ['/admin/health', 'health'],
      ['/sites', 'sites'],
    ] as const) {
      await go(admin, path);
      await admin.getByRole('heading', { level: 1 }).waitFor();
      await picture(admin, name);
    }
    await go(steward, '/me');
    await steward.getByRole('heading', { level: 1 }).waitFor();
    await picture(steward, 'me');
    const stranger = await newPage();
    await go(stranger, '/');
    await stranger.getByLabel('E-mail').waitFor();
    await picture(stranger, 'sign-in');
  });
});
