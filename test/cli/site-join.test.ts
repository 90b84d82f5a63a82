import getPort from 'get-port';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { joinSite } from '../../cli/site-join';
import { UsageError } from '../../cli/usage-error';
import { readIdentity } from '../../client/identity-folder';
import { readSiteFile } from '../../workers/policy-files';
import { readCode, writeCode } from '../../workflows/enrolment-code';
import { GATEWAY, useSiteApi } from '../server/site-api';
import { PUBLIC_URL } from '../server/server';
import { createTestAuthority } from '../support/certificates';
import { startConnectProxy } from '../support/connect-proxy';
import { useFolder } from '../support/folder';

describe('muster site join', () => {
  const api = useSiteApi();
  const folder = useFolder();
  const dir = join(folder, 'biscoe');
  const code = async (siteId = 'biscoe') => (await api.invite(siteId)).code;
  const problem = async (...[url, text, options, env = {}]: Parameters<typeof joinSite>) =>
    joinSite(url, text, options, env).then(
      () => 'it joined',
      (error: unknown) => String(error instanceof Error ? error.message : error),
    );

  beforeEach(() => rm(dir, { recursive: true, force: true }));

  it('makes this machine the site, and says what to do next', async () => {
    const told = await joinSite(api.url, await code(), { dir }, {});
    expect(told).toEqual([
      expect.stringMatching(
        /^biscoe has joined; who it is, is in .*\/biscoe\. Its certificate is good until \d{4}-\d\d-\d\d, and the edge worker renews it\.$/,
      ),
      `Say in ${dir}/site.yaml what may run here; then start the edge worker with it.`,
    ]);
    expect((await readdir(dir)).sort()).toEqual([
      'ca.crt',
      'instance.pub',
      'site.crt',
      'site.key',
      'site.yaml',
    ]);
    expect((await stat(join(dir, 'site.key'))).mode & 0o777).toBe(0o600);
    const { key, certificate, ca, instanceKey } = await readIdentity(dir);
    expect([ca, instanceKey]).toEqual([api.authority.cert, api.identity.signingKey.publicKey]);
    expect(createPublicKey(instanceKey).asymmetricKeyType).toBe('ed25519');
    await api
      .as({ cert: certificate, key })
      .reportPresence('biscoe', { state: 'here', runtimes: [], version: '1' });
  });

  it('writes a site.yaml that the edge worker takes, and that allows nothing yet', async () => {
    await joinSite(api.url, await code(), { dir }, {});
    expect(await readSiteFile(join(dir, 'site.yaml'))).toMatchObject({
      ...{ site: 'biscoe', gateway: GATEWAY, api: api.url, reports: PUBLIC_URL },
      ...{ computations: [], datasets: {} },
      logs: 'on-error',
    });
    const text = await readFile(join(dir, 'site.yaml'), 'utf8');
    // As a person would who takes the examples for their own.
    const taken = text
      .replace(/: (\[\]|\{\})\n#/g, ':\n#')
      .replace(/^#(?=  )/gm, '')
      .replace(/^# (?=\w+: [{/])/gm, '');
    await writeFile(join(dir, 'examples.yaml'), taken);
    expect(await readSiteFile(join(dir, 'examples.yaml'))).toMatchObject({
      computations: [{ name: 'penguins' }],
      ...{ datasets: { penguins: '/data/penguins' }, resources: { pids: 512 }, identity: '/etc/muster' },
    });
  });

  it('takes a code as people pass it on', async () => {
    const text = (await code()).toLowerCase().replaceAll('-', ' ');
    expect((await joinSite(`${api.url}/`, text, { dir }, {}))[0]).toContain('biscoe has joined');
  });

  it('replaces no key without being told to, and never what a person has written', async () => {
    await joinSite(api.url, await code(), { dir }, {});
    const { key } = await readIdentity(dir);
    const siteFile = join(dir, 'site.yaml');
    const text = '# ours\nsite: biscoe\nlogs: none # as agreed\ngateway: old.example.org:1\n';
    await writeFile(siteFile, text);
    const again = await code();
    expect(await problem(api.url, again, { dir })).toBe(
      `${dir}/site.key is there: this site has joined. Use --force to replace its key.`,
    );
    expect((await readIdentity(dir)).key).toBe(key);
    await joinSite(api.url, again, { dir, force: true }, {});
    expect((await readIdentity(dir)).key).not.toBe(key);
    expect(await readFile(siteFile, 'utf8')).toBe(
      `# ours\nsite: biscoe\nlogs: none # as agreed\ngateway: ${GATEWAY}\napi: ${api.url}\nreports: ${PUBLIC_URL}\n`,
    );
  });

  it('says which addresses a site.yaml lacks that was there before', async () => {
    await joinSite(api.url, await code(), { dir }, {});
    for (const name of await readdir(dir)) if (name !== 'site.yaml') await rm(join(dir, name));
    const siteFile = join(dir, 'site.yaml');
    await writeFile(siteFile, `site: biscoe\napi: ${api.url}\n`);
    expect((await joinSite(api.url, await code(), { dir }, {})).slice(1)).toEqual([
      `${siteFile} is as it was. Put these lines into it:`,
      `gateway: ${GATEWAY}`,
      `reports: ${PUBLIC_URL}`,
    ]);
    expect(await readFile(siteFile, 'utf8')).toBe(`site: biscoe\napi: ${api.url}\n`);
  });

  it('does not use up a code where nothing could come of it', async () => {
    const text = await code();
    await writeFile(join(folder, 'taken'), '');
    expect(await problem(api.url, text, { dir: join(folder, 'taken') })).toMatch(
      /^Files cannot be written to/,
    );
    await joinSite(api.url, await code('dream'), { dir }, {});
    await rm(join(dir, 'site.key'));
    expect(await problem(api.url, text, { dir })).toBe(
      `${dir}/site.yaml is of the site dream, and the code of biscoe: use another --dir.`,
    );
    await rm(dir, { recursive: true });
    expect(await problem(api.url, text, { dir })).toBe('it joined');
    expect(await problem(api.url, text, { dir, force: true })).toContain(
      'The code of biscoe was used before.',
    );
  });

  it.each<[string, () => string | Promise<string>, () => string | Promise<string>, string]>([
    [
      'an address without TLS',
      () => 'http://127.0.0.1:1',
      () => code(),
      'is not an address such as https://',
    ],
    ['what is no address', () => 'sites', () => code(), 'is not an address such as https://'],
    ['half a code', () => api.url, async () => (await code()).slice(0, 40), 'The code is not complete'],
    [
      'a wrong letter',
      () => api.url,
      async () => (await code()).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      'a letter of it is wrong',
    ],
  ])('knows %s before it asks anyone', async (_what, url, text, message) => {
    const call = joinSite(await url(), await text(), { dir }, {});
    await expect(call).rejects.toBeInstanceOf(UsageError);
    await expect(call).rejects.toThrow(message);
  });

  it('tells nothing to a server that the code was not made by', async () => {
    const read = readCode(await code())!;
    const other = writeCode({ ...read, pin: new Uint8Array(32) });
    expect(await problem(api.url, other, { dir })).toContain(
      `The server at ${api.url} is not the one that the code was made by.`,
    );
    expect(await readdir(dir)).toEqual([]);
  });

  it('tells nothing to a server that only says what the right one would', async () => {
    const stranger = await createTestAuthority();
    const { cert, key } = await stranger.issueServer();
    const seen: string[] = [];
    const server = createServer({ cert, key }, (request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ ca: api.authority.cert }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await problem(url, await code(), { dir })).toContain(
      `The connection to ${url} is not certified by what the code names`,
    );
    expect(seen).toEqual(['GET /api/site/authority']);
    server.closeAllConnections();
    server.close();
  });

  it('says that nobody is there', async () => {
    const url = `https://127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
    expect(await problem(url, await code(), { dir })).toContain(
      `No answer from the central API at ${url}: connect ECONNREFUSED`,
    );
  });

  describe('where a proxy is the way out', () => {
    it('goes through it, unless the address is exempt', async () => {
      const proxy = await startConnectProxy('me:pass word');
      const env = { HTTPS_PROXY: proxy.url.replace('://', '://me:pass%20word@') };
      await joinSite(api.url, await code(), { dir }, env);
      expect(new Set(proxy.asked)).toEqual(new Set([new URL(api.url).host]));
      expect(new X509Certificate((await readIdentity(dir)).certificate).subject).toBe('CN=biscoe');
      const count = proxy.asked.length;
      const exempt = { ...env, NO_PROXY: 'localhost,127.0.0.1' };
      await joinSite(api.url, await code(), { dir, force: true }, exempt);
      expect(proxy.asked.length).toBe(count);
      await proxy.close();
    });

    it('says that it does not let this machine through', async () => {
      const proxy = await startConnectProxy('me:word');
      expect(await problem(api.url, await code(), { dir }, { HTTPS_PROXY: proxy.url })).toMatch(
        /^No answer from the central API at .*: Proxy response \(407\)/,
      );
      expect(
        await problem(api.url, await code(), { dir }, { HTTPS_PROXY: 'socks5://somewhere:1' }),
      ).toContain('HTTPS_PROXY is not an address such as');
      await proxy.close();
    });
  });
});
