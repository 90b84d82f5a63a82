import { once } from 'node:events';
import { createServer as createPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createStoreFetch, createTransport } from '../../client/site-transport';
import { createTestAuthority, type TestAuthority } from '../support/certificates';
import { startConnectProxy } from '../support/connect-proxy';

const KIT = 'k'.repeat(1_000_000);

describe('fetching kits', () => {
  let authority: TestAuthority;
  let other: TestAuthority;
  let store: Server;
  let url: string;

  beforeAll(async () => {
    [authority, other] = await Promise.all([createTestAuthority(), createTestAuthority('Another')]);
    const { cert, key } = await authority.issueServer();
    store = createServer({ cert, key }, (_request, response) => response.end(KIT));
    store.listen(0, '127.0.0.1');
    await once(store, 'listening');
    url = `https://127.0.0.1:${(store.address() as AddressInfo).port}/kit?X-Amz-Signature=1`;
  });
  afterAll(async () => {
    store.close();
    await once(store, 'close');
  });

  const get = async (from: string, ca: string | undefined, env: Record<string, string> = {}) =>
    (await createStoreFetch(ca, env)(from, { method: 'GET', headers: {} })).text();

  it('trusts the authority of the centre, and no other that the machine does not trust', async () => {
    expect(await get(url, authority.cert)).toBe(KIT);
    for (const ca of [other.cert, undefined])
      await expect(get(url, ca)).rejects.toMatchObject({
        cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      });
  });

  it('wants the certificate to be for the address', async () => {
    const { cert, key } = await authority.issue({ names: [{ type: 'dns', value: 'store.example.org' }] });
    const wrong = createServer({ cert, key }, (_request, response) => response.end(KIT));
    wrong.listen(0, '127.0.0.1');
    await once(wrong, 'listening');
    const at = `https://127.0.0.1:${(wrong.address() as AddressInfo).port}/`;
    await expect(get(at, authority.cert)).rejects.toMatchObject({
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    wrong.close();
  });

  it('goes through the proxy, by TLS and without, unless the address is excepted', async () => {
    const plain = createPlain((_request, response) => response.end(KIT));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const without = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/kit`;
    const proxy = await startConnectProxy('me:secret');
    const HTTPS_PROXY = proxy.url.replace('//', '//me:secret@');
    expect(await get(url, authority.cert, { HTTPS_PROXY })).toBe(KIT);
    expect(await get(without, authority.cert, { HTTPS_PROXY })).toBe(KIT);
    expect(await get(url, authority.cert, { HTTPS_PROXY, NO_PROXY: '127.0.0.1' })).toBe(KIT);
    expect(proxy.asked).toEqual([new URL(url).host, new URL(without).host]);
    await expect(get(url, authority.cert, { HTTPS_PROXY: proxy.url })).rejects.toThrow('fetch failed');
    await proxy.close();
    plain.close();
  });
});

describe('speaking with the API', () => {
  it.each(['directly', 'through a proxy'])(
    'has six connections at most, however many calls: %s',
    async (how) => {
      const authority = await createTestAuthority();
      const { cert, key } = await authority.issueServer();
      const api = createServer({ cert, key }, (_request, response) => response.end('here'));
      let connections = 0;
      api.on('secureConnection', () => (connections += 1));
      api.listen(0, '127.0.0.1');
      await once(api, 'listening');
      const url = `https://127.0.0.1:${(api.address() as AddressInfo).port}/`;
      const proxy = how === 'directly' ? undefined : await startConnectProxy();
      const { fetch, close } = createTransport(url, { ca: authority.cert }, { HTTPS_PROXY: proxy?.url });
      const call = async () => (await fetch(url, { method: 'GET', headers: {} })).text();
      const answers = await Promise.all(Array.from({ length: 30 }, call));
      expect(answers).toEqual(answers.map(() => 'here'));
      expect(connections).toBeLessThanOrEqual(6);
      await close();
      await proxy?.close();
      api.close();
      await once(api, 'close');
    },
  );
});
