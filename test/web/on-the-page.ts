/** A browser with a page open before an API that tells of scenes; what a test file does with them, in a few words. */
import type { Browser, Locator, Page, Response } from 'playwright-core';
import { launchBrowser } from '../support/browser';
import type { SeenRequest } from '../support/contract-server';
import { PageServer, TOKEN } from './page-server';
import * as scenes from './scenes';
import { openWatched, type WatchedPage } from './watched-page';

export interface OnThePage {
  readonly server: PageServer;
  readonly page: Page;
  /** Opens an address by a link that signs in, where its token is good. */
  readonly open: (path: string, token?: string) => Promise<unknown>;
  readonly see: (text: string | RegExp, within?: Page | Locator) => Promise<void>;
  readonly button: (name: string, within?: Page | Locator) => Locator;
  /** The question that is asked before something is done. */
  readonly dialog: () => Locator;
  /** What was asked of the API. */
  readonly sent: (method: string, path: string) => SeenRequest[];
  /** The next answer of this kind. */
  readonly until: (method: string, path: string) => Promise<Response>;
}

/** A consortium at work, and an administrator who looks at it. */
function somethingGoesOn(server: PageServer): void {
  server.me = { ...scenes.grace(), admin: true };
  server.consortia = [scenes.inviting()];
  server.show(scenes.running());
  for (const [call, answer] of Object.entries(scenes.lively())) server.answers.set(call, answer);
}

/** For all tests of a `describe`: each begins with an empty page, and with what `setScene` lets the API tell of. */
export function useThePage(setScene: (server: PageServer) => void = somethingGoesOn): OnThePage {
  const server = new PageServer();
  let browser: Browser | undefined;
  let watched: WatchedPage | undefined;
  const page = (): Page => {
    if (!watched) throw new Error('no page is open: this is for tests alone');
    return watched.page;
  };

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
    setScene(server);
    watched = await openWatched(browser!, server.url);
  });
  afterEach(async () => {
    await watched?.context.close();
    expect(watched?.complaints).toEqual([]);
  });

  return {
    server,
    get page() {
      return page();
    },
    open: (path, token = TOKEN) => page().goto(`${server.url}${path}#token=${token}`),
    see: (text, within = page()) => within.getByText(text).first().waitFor(),
    button: (name, within = page()) => within.getByRole('button', { name, exact: true }),
    dialog: () => page().getByRole('dialog'),
    sent: (method, path) =>
      server.seen.filter((request) => request.method === method && request.path === `/api/${path}`),
    until: (method, path) =>
      page().waitForResponse(
        (answer) => answer.request().method() === method && answer.url().endsWith(`/api/${path}`),
      ),
  };
}
