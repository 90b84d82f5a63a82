/** A real browser for tests of the page: an installed Chromium, or the one that CHROMIUM_PATH names. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const MISSING = 'no Chromium was found: install one or set CHROMIUM_PATH';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** Starts the browser; fails where there is none. */
export async function launchBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(MISSING);
  return chromium.launch({ executablePath, args: FLAGS });
}

/** `describe`, skipped with its reason where there is no browser; on a CI machine a missing browser is a failure. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (executablePath !== undefined || process.env.CI) describe(name, tests);
  else describe.skip(`${name} (skipped: ${MISSING})`, tests);
}
