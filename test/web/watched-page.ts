/** A page of a browser whose complaints are kept, and what axe says of it. */
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface WatchedPage {
  context: BrowserContext;
  page: Page;
  /** Errors, what the content policy forbade, and requests that left `url`. */
  complaints: string[];
}

/** Opens one in a context of its own, for the page that is served at `url`. */
export async function openWatched(browser: Browser, url: string): Promise<WatchedPage> {
  const complaints: string[] = [];
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  return { context, page, complaints };
}

/** What keeps people out: the serious and critical findings of axe, each with its element. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
