/** The object store by TLS: the centre's own calls, and kits on their way to a site. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createStoreFetch } from '../../client/site-transport';
import { createObjectStore, objectStoreConfigFromEnv } from '../../storage/object-store';
import { downloadKit, extractKit, newContentKey, openKit, publishKits } from '../../storage/run-kits';
import { createTestAuthority, type TestAuthority } from '../support/certificates';
import { startConnectProxy } from '../support/connect-proxy';
import { useFolder } from '../support/folder';
import { startMinioByTls, type OwnMinio } from '../support/own-minio';

describe('an object store that is reached by TLS', () => {
  const folder = useFolder();
  const { signal } = new AbortController();
  let authority: TestAuthority;
  let minio: OwnMinio;
  const at = (name: string) => join(folder, name);
  const open = (more: Record<string, string>) =>
    createObjectStore(objectStoreConfigFromEnv({ ...minio.env, ...more }));

  beforeAll(async () => {
    authority = await createTestAuthority();
    minio = await startMinioByTls(await authority.issueServer());
    await writeFile(at('ca.crt'), authority.cert);
    await writeFile(at('other.crt'), (await createTestAuthority('Another')).cert);
  }, 60_000);
  afterAll(() => minio.stop());

  it('is held to the authority that MINIO_TLS_CA names', async () => {
    const store = open({ MINIO_TLS_CA: at('ca.crt') });
    await store.ensureBucket();
    await store.putOnce('a/b', Buffer.from('content'));
    expect(await text(await store.getStream('a/b'))).toBe('content');
    for (const env of [{}, { MINIO_TLS_CA: at('other.crt') }])
      await expect(open(env).ensureBucket()).rejects.toThrow(
        /^Object store 127\.0\.0\.1:\d+: cannot make the bucket muster: unable to verify the first certificate/,
      );
  });

  it('gives a kit to a site that trusts the same authority, through its proxy', async () => {
    const store = open({ MINIO_TLS_CA: at('ca.crt') });
    await store.ensureBucket();
    await mkdir(at('kit'));
    await writeFile(at('kit/node.json'), '{}');
    const key = newContentKey();
    const [kit] = await publishKits(store, {
      ...{ runId: 'run', launchId: 'aaaabbbbcccc', folders: { north: at('kit') } },
      keys: new Map([['north', key]]),
    });
    const proxy = await startConnectProxy();
    const url = await store.presignGet(kit!.key, 60);
    const env = { HTTPS_PROXY: proxy.url };
    const given = { url, kit: kit!, file: at('kit.sealed'), signal };
    await downloadKit({ ...given, fetch: createStoreFetch(authority.cert, env) });
    await openKit(at('kit.sealed'), key, at('kit.zip'));
    await extractKit(at('kit.zip'), at('unpacked'));
    expect(await readFile(at('unpacked/node.json'), 'utf8')).toBe('{}');
    expect(proxy.asked).toEqual([new URL(url).host]);
    await expect(downloadKit({ ...given, fetch: createStoreFetch(undefined, env) })).rejects.toMatchObject({
      type: 'KitUnavailable',
      message: expect.stringMatching(/unable to verify the first certificate$/) as string,
    });
    await proxy.close();
  });

  it('needs a file that is there, and says which setting names it', () => {
    expect(() => open({ MINIO_TLS_CA: at('none.crt') })).toThrow(
      `Object store settings: MINIO_TLS_CA names ${at('none.crt')}, which is no certificate that can be read (PEM)`,
    );
  });
});
