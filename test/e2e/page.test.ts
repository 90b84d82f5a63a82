/** The page against the real thing: Start run in a browser brings nodes up at every site, and Stop takes them down. */
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from '../support/browser';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { openPenguins } from '../support/penguins';

jest.setTimeout(300_000);

const folder = useFolder();

describeInBrowser('a consortium lead in a browser', () => {
  let consortium: Consortium;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    consortium = await openPenguins(folder, { pauseSeconds: 2 });
    browser = await launchBrowser();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(60_000);
  });
  afterAll(async () => {
    await browser.close();
    const unreplayable = await consortium.replayAll();
    await consortium.muster.end();
    expect(unreplayable).toEqual([]);
  });

  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const row = (name: string) => page.locator('.node').filter({ has: page.getByText(name, { exact: true }) });
  const site = (name: string, state: RegExp) => row(name).getByText(state).first().waitFor();

  it('sees the run that muster try made, complete at every site', async () => {
    await page.goto(consortium.page.href);
    for (const name of ['biscoe', 'dream', 'torgersen']) await site(name, /^complete$/i);
  });

  it('starts a run, sees every site compute, and sees it end', async () => {
    await page.goto(consortium.page.origin);
    await button('Start run').click();
    await page.waitForURL(/\/runs\//);
    for (const name of ['biscoe', 'dream', 'torgersen']) await site(name, /^running$/i);
    for (const name of ['biscoe', 'dream', 'torgersen']) await site(name, /^complete$/i);
  });

  it('stops a run, and sees every site confirm it', async () => {
    const [tried] = (await consortium.api.listConsortia()).consortia;
    const { runId } = await consortium.api.startRun({
      path: { consortiumId: tried!.id },
      body: { parameters: { pauseSeconds: 300 } },
    });
    await page.goto(`${consortium.page.origin}/runs/${runId}`);
    for (const name of ['biscoe', 'dream', 'torgersen']) await site(name, /^running$/i);
    await button(/^Stop/).click();
    await page.getByRole('dialog').getByRole('button', { name: /stop/i }).first().click();
    for (const name of ['biscoe', 'dream', 'torgersen']) await site(name, /^stopped$/i);
    expect((await consortium.ended(runId)).run.state).toBe('stopped');
  });
});
