import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { describeInBrowser, launchBrowser } from '../support/browser';
import { start } from './scenes';
import { admin, problemOf, tokenFor, useServer } from './server';

/** As `npm run build` made it. */
const PAGE = join(__dirname, '../../dist/web');

describe('what people open in a browser', () => {
  const server = useServer();
  let url: string;
  const get = (path: string) => fetch(url + path);

  beforeAll(async () => {
    const replica = await server.startReplica({ page: PAGE });
    url = await replica.listen({ host: '127.0.0.1', port: 0 });
  });

  it('is the same page for every run', async () => {
    const texts = await Promise.all(
      ['/', '/runs/penguins-1', '/runs/penguins-1?tab=errors'].map(async (path) => {
        const answer = await get(path);
        expect(answer.headers.get('content-type')).toContain('text/html');
        expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
        return answer.text();
      }),
    );
    expect(new Set(texts).size).toBe(1);
    const [script = ''] = readdirSync(join(PAGE, 'assets')).filter((name) => name.endsWith('.js'));
    const answer = await get(`/assets/${script}`);
    expect(answer.headers.get('content-type')).toContain('javascript');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect((await get('/runs/penguins-1')).headers.get('cache-control')).toBe('no-cache');
  });

  it('is nothing else: what is not part of it is not there', async () => {
    for (const path of ['/main.tsx', '/nowhere', '/..%2fpackage.json', '/assets'])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('says itself that there is nothing at an address, to who opens it in a browser', async () => {
    const headers = { accept: 'text/html,*/*;q=0.8' };
    const answer = await fetch(`${url}/runs`, { headers });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await answer.text()).toBe(await (await get('/')).text());
    expect((await fetch(`${url}/api/nowhere`, { headers })).headers.get('content-type')).toContain('problem');
  });

  it('is not there without a built page, and the API is', async () => {
    expect(problemOf(await server.call('GET /')).status).toBe(404);
    expect((await server.call('GET /api/runs')).statusCode).toBe(200);
  });

  it('the description of the API is docs/openapi.json, as `npm run openapi` writes it, and lacks nothing that it refers to', async () => {
    const served: unknown = await (await get('/openapi.json')).json();
    const kept: unknown = JSON.parse(await readFile(join(PAGE, '../../docs/openapi.json'), 'utf8'));
    expect(served).toEqual(kept);
    const { openapi, paths, components } = Description.parse(served);
    expect(openapi).toBe('3.1.0');
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const text = JSON.stringify(served);
    const names = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref = '']) => ref);
    const known = Object.entries(components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    expect(known).toEqual(expect.arrayContaining([...new Set(names)]));
  });

  describeInBrowser('a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    /** Opens a page; `complaints` are what it asked for elsewhere, and what it was not allowed. */
    async function open(path: string) {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(url)) complaints.push(`asked elsewhere: ${request.url()}`);
      });
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(url + path);
      return { page, complaints };
    }

    it('shows a run that was started, live, within its policy', async () => {
      const runId = await start(server);
      const { page, complaints } = await open(`/#token=${await tokenFor(admin)}`);
      await page.getByText(runId).first().waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('shows the reference without asking anyone else', async () => {
      const { page, complaints } = await open('/reference');
      await page.getByRole('heading', { name: 'Muster central API' }).waitFor();
      await page.getByText('/healthz').first().waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
});

const Description = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
  components: z.record(z.string(), z.record(z.string(), z.unknown())),
});
