import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { digestFile } from '../../storage/digest';
import { createObjectStore, objectStoreConfigFromEnv, type ObjectStore } from '../../storage/object-store';
import { useFolder } from '../support/folder';
import { testObjectStore, testObjectStoreEnv } from '../support/object-store';

const folder = useFolder();
let store: ObjectStore;
beforeAll(async () => {
  store = await testObjectStore();
});

async function fileOf(name: string, content: Buffer) {
  const path = join(folder, name);
  await writeFile(path, content);
  return { path, ...(await digestFile(path)) };
}

describe('settings', () => {
  const complete = { MINIO_ENDPOINT: 'http://127.0.0.1:9000', MINIO_ACCESS_KEY: 'k', MINIO_SECRET_KEY: 's' };

  test('the bucket has a name unless one is given', () => {
    expect(objectStoreConfigFromEnv(complete).bucket).toBe('muster');
    expect(objectStoreConfigFromEnv({ ...complete, MINIO_BUCKET: 'other' }).bucket).toBe('other');
  });

  test('everything that is wrong is named in one line, and no secret is repeated', () => {
    const env = { MINIO_ENDPOINT: 'localhost:9000/x', MINIO_SECRET_KEY: 'hush', MINIO_BUCKET: 'A' };
    const attempt = () => objectStoreConfigFromEnv(env);
    expect(attempt).toThrow(
      /^Object store settings: MINIO_ENDPOINT must be an address like .*; MINIO_ACCESS_KEY is not set; MINIO_BUCKET must be [^\n]*$/,
    );
    expect(attempt).not.toThrow(/hush/);
  });

  test.each(['ftp://host', 'http://host/path', 'http://user:pw@host', 'nonsense'])(
    '%s is no endpoint',
    (endpoint) => {
      expect(() => objectStoreConfigFromEnv({ ...complete, MINIO_ENDPOINT: endpoint })).toThrow(
        /MINIO_ENDPOINT/,
      );
    },
  );
});

describe('the bucket', () => {
  test('is made once by many at the same time, and found again later', async () => {
    const env = testObjectStoreEnv();
    const stores = Array.from({ length: 5 }, () => createObjectStore(objectStoreConfigFromEnv(env)));
    await Promise.all(stores.map((each) => each.ensureBucket()));
    await stores[0]?.ensureBucket();
    await expect(stores[1]?.list('anything')).resolves.toEqual([]);
  });
});

describe('write-once objects', () => {
  test.each([
    ['nothing', 0],
    ['a few bytes', 12],
    ['more than the client holds in memory at once', 70 * 2 ** 20],
  ])('%s is written once, read back, and found the second time', async (name, size) => {
    const file = await fileOf(name, randomBytes(size));
    const key = `once/${name}`;
    expect(await store.putOnce(key, file)).toBe('written');
    expect(await store.putOnce(key, file)).toBe('exists');
    expect(await store.stat(key)).toMatchObject({ key, size, sha256: file.sha256 });
  });

  test('other content under the same key is an error and changes nothing', async () => {
    await store.putOnce('kept/a', Buffer.from('first'));
    await expect(store.putOnce('kept/a', Buffer.from('other'))).rejects.toMatchObject({
      type: 'KitBroken',
      message: expect.stringContaining('kept/a already holds other content') as string,
    });
    expect(await text(await store.getStream('kept/a'))).toBe('first');
  });

  test('of many writers at once exactly one writes', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => store.putOnce('race/a', Buffer.from('same'))),
    );
    expect(outcomes.sort()).toEqual([...Array.from({ length: 7 }, () => 'exists'), 'written']);
  });

  test('bytes that are not what they are said to be are refused by the store', async () => {
    const file = await fileOf('lying', Buffer.from('what is there'));
    const lie = { ...file, sha256: '0'.repeat(64) };
    await expect(store.putOnce('lying/a', lie)).rejects.toMatchObject({ type: 'KitUnavailable' });
    expect(await store.stat('lying/a')).toBeUndefined();
  });
});

describe('reading', () => {
  test('a presigned URL gives the object to anyone, and only that object', async () => {
    await store.putOnce('shared/a b+ü', Buffer.from('content'));
    await store.putOnce('shared/other', Buffer.from('secret'));
    const url = await store.presignGet('shared/a b+ü', 60);
    expect(await (await fetch(url)).text()).toBe('content');
    const other = new URL(url);
    other.pathname = other.pathname.replace(/[^/]*$/, 'other');
    expect((await fetch(other)).status).toBe(403);
    expect((await fetch(url.split('?')[0] ?? '')).status).toBe(403);
  });

  test('a presigned URL carries the public address without contacting it', async () => {
    const env = { ...testObjectStoreEnv(store.bucket), MINIO_PUBLIC_ENDPOINT: 'https://objects.example.org' };
    const url = new URL(await createObjectStore(objectStoreConfigFromEnv(env)).presignGet('a/b', 60));
    expect(url.origin).toBe('https://objects.example.org');
    expect(url.pathname).toBe(`/${store.bucket}/a/b`);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('60');
  });

  test('what is not there: no stat, and a failure to read it', async () => {
    expect(await store.stat('no/such')).toBeUndefined();
    await expect(store.getStream('no/such')).rejects.toMatchObject({ type: 'KitUnavailable' });
  });
});

describe('folders of objects', () => {
  test('listing and removing go by folder, not by the beginning of names', async () => {
    const keys = ['runs/a/1', 'runs/a/deep/2', 'runs/ab/3'];
    for (const key of keys) await store.putOnce(key, Buffer.from(key));
    expect(await store.list('runs/a')).toEqual([
      { key: 'runs/a/1', size: 8 },
      { key: 'runs/a/deep/2', size: 13 },
    ]);
    expect(await store.list('runs/a', 'runs/a/1')).toEqual([{ key: 'runs/a/deep/2', size: 13 }]);
    expect(await store.removePrefix('runs/a')).toBe(2);
    expect(await store.removePrefix('runs/a')).toBe(0);
    expect((await store.list('runs/')).map((object) => object.key)).toEqual(['runs/ab/3']);
  });

  test('a whole bucket is not emptied by a missing prefix', async () => {
    await store.putOnce('precious', Buffer.from('x'));
    await expect(store.removePrefix('')).rejects.toThrow('the prefix is empty');
    expect(await store.stat('precious')).toBeDefined();
  });
});

describe('a store that cannot be used', () => {
  const unusable = (change: Record<string, string>) =>
    createObjectStore(objectStoreConfigFromEnv({ ...testObjectStoreEnv(), ...change }));

  test('nobody listening is a failure worth retrying that names the address', async () => {
    const error = unusable({ MINIO_ENDPOINT: 'http://127.0.0.1:1' }).putOnce('a', Buffer.from('x'));
    await expect(error).rejects.toMatchObject({
      type: 'KitUnavailable',
      nonRetryable: false,
      message: expect.stringMatching(
        /^Object store 127\.0\.0\.1:1: cannot write a: .*ECONNREFUSED/,
      ) as string,
    });
  });

  test('wrong credentials say so without repeating them', async () => {
    const error = unusable({ MINIO_SECRET_KEY: 'wrong-secret' }).ensureBucket();
    await expect(error).rejects.toMatchObject({ type: 'KitUnavailable' });
    await expect(error).rejects.not.toThrow(/wrong-secret/);
  });
});
