import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { digestBytes } from '../../storage/digest';
import type { ObjectStore } from '../../storage/object-store';
import {
  downloadKit,
  extractKit,
  newContentKey,
  openKit,
  publishKits,
  republishKits,
} from '../../storage/run-kits';
import { Kit, kitManifestKey } from '../../workflows/contract';
import { useFolder } from '../support/folder';
import { testObjectStore } from '../support/object-store';

const root = useFolder();
const signal = new AbortController().signal;
let count = 0;
const fresh = () => join(root, `x${count++}`);

describe('publishing', () => {
  let store: ObjectStore;
  beforeAll(async () => {
    store = await testObjectStore();
  });

  /** The folders that provisioning a run for two sites leaves. */
  async function provisioned(secret = 'secret') {
    const base = fresh();
    const folders: Record<string, string> = {};
    for (const node of ['north', 'central', 'south']) {
      const folder = (folders[node] = join(base, node));
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'node.json'), JSON.stringify({ node, secret }));
    }
    const keys = new Map(Object.keys(folders).map((node) => [node, newContentKey()]));
    return { base, folders, keys };
  }
  const launch = () => ({ runId: `run-${count++}`, launchId: 'aaaabbbbcccc' });

  test('each node gets its own kit, by way of the store', async () => {
    const { base, folders, keys } = await provisioned();
    const kits = await publishKits(store, { ...launch(), folders, keys });
    expect(kits.map((kit) => kit.node)).toEqual(['central', 'north', 'south']);
    expect(await readdir(base)).toEqual(['central', 'north', 'south']);
    for (const kit of kits) {
      const file = fresh();
      await downloadKit({ url: await store.presignGet(kit.key, 60), kit: Kit.parse(kit), file, signal });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      await openKit(file, keys.get(kit.node)!, `${file}.zip`);
      await extractKit(`${file}.zip`, `${file}-kit`);
      const content = await readFile(join(`${file}-kit`, 'node.json'), 'utf8');
      expect(JSON.parse(content)).toEqual({ node: kit.node, secret: 'secret' });
    }
  });

  test('a repeat after a crash gives the same kits and manifest', async () => {
    const input = { ...launch(), ...(await provisioned()) };
    const written: string[] = [];
    const crashing: ObjectStore = {
      ...store,
      putOnce(key, content) {
        if (written.push(key) > 2) throw new Error('crash');
        return store.putOnce(key, content);
      },
    };
    await expect(publishKits(crashing, input)).rejects.toThrow('crash');
    const first = await publishKits(store, input);
    expect(await publishKits(store, input)).toEqual(first);
    const manifest = await json(await store.getStream(kitManifestKey(input.runId, input.launchId)));
    expect(manifest).toEqual({ runId: input.runId, launchId: input.launchId, kits: first });
  });

  test('kits of one launch are published for another one too, and outlive the first', async () => {
    const [first, second] = [launch(), { ...launch(), launchId: 'ddddeeeeffff' }];
    const kits = await publishKits(store, { ...first, ...(await provisioned()) });
    const again = await republishKits(store, second, kits);
    expect(await republishKits(store, second, kits)).toEqual(again);
    await store.removePrefix(`runs/${first.runId}`);
    for (const [index, kit] of again.entries()) {
      expect(kit).toEqual({ ...kits[index], key: `runs/${second.runId}/ddddeeeeffff/kits/${kit.node}.zip` });
      const file = fresh();
      await downloadKit({ url: await store.presignGet(kit.key, 60), kit, file, signal });
      expect((await store.stat(kit.key))?.sha256).toBe(kit.sha256);
    }
    const manifest = await json(await store.getStream(kitManifestKey(second.runId, second.launchId)));
    expect(manifest).toEqual({ ...second, kits: again });
  });

  test('other content for a launch that is published already is an error', async () => {
    const ref = launch();
    await publishKits(store, { ...ref, ...(await provisioned('old')) });
    const other = publishKits(store, { ...ref, ...(await provisioned('new')) });
    await expect(other).rejects.toMatchObject({ type: 'KitBroken', nonRetryable: true });
  });
});

describe('downloading', () => {
  const content = randomBytes(300_000);
  const kit: Kit = { node: 'north', key: 'runs/r/l/kits/north.zip', ...digestBytes(content) };
  let server: Server;
  let answer: RequestListener;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/north.zip?signature=hush`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Downloads into a folder of its own, and checks that a failure leaves nothing there. */
  async function failing(abort = signal) {
    const folder = fresh();
    await mkdir(folder);
    const file = join(folder, 'kit.zip');
    const error: unknown = await downloadKit({ url, kit, file, signal: abort }).catch((e: unknown) => e);
    expect(await readdir(folder)).toEqual([]);
    return error;
  }

  test('a leftover of an interrupted download does not matter', async () => {
    answer = (_request, response) => response.end(content);
    const file = fresh();
    await writeFile(`${file}.part`, 'half');
    await downloadKit({ url, kit, file, signal });
    expect((await readFile(file)).equals(content)).toBe(true);
  });

  test('more than the kit has is not read on', async () => {
    const closed = new Promise((resolve) => {
      answer = (_request, response) => {
        response.once('close', resolve);
        const more = () => {
          while (!response.destroyed && response.write(content));
        };
        response.on('drain', more);
        more();
      };
    });
    expect(await failing()).toMatchObject({
      type: 'KitBroken',
      message: expect.stringContaining('more came than its 300000 bytes') as string,
    });
    await closed;
  });

  test.each<[string, RequestListener, string]>([
    ['less than the kit has', (_q, r) => r.end(content.subarray(1)), '299999 bytes came and not 300000'],
    ['other bytes', (_q, r) => r.end(randomBytes(300_000)), 'its sha256 is'],
  ])('%s: the kit is broken', async (_what, listener, problem) => {
    answer = listener;
    expect(await failing()).toMatchObject({
      type: 'KitBroken',
      nonRetryable: true,
      message: expect.stringContaining(problem) as string,
    });
  });

  test.each<[string, RequestListener, RegExp]>([
    ['an expired URL', (_q, r) => r.writeHead(403).end('<Error/>'), /HTTP status 403$/],
    ['a store in trouble', (_q, r) => r.writeHead(503).end(), /HTTP status 503$/],
    [
      'a redirect to nowhere',
      (_q, r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /ECONNREFUSED|bad port/,
    ],
    [
      'a connection that breaks in the middle',
      (_q, r) => {
        r.writeHead(200, { 'content-length': content.length });
        r.write(content.subarray(0, 1000), () => r.destroy());
      },
      /cannot be had/,
    ],
  ])(
    '%s: the kit is unavailable for now, and the URL’s secret is not told',
    async (_what, listener, problem) => {
      answer = listener;
      const error = await failing();
      expect(error).toMatchObject({ type: 'KitUnavailable', nonRetryable: false });
      expect((error as Error).message).toMatch(problem);
      expect((error as Error).message).not.toContain('hush');
    },
  );

  test('an abort ends a download that hangs, with the reason given', async () => {
    const abort = new AbortController();
    answer = (_request, response) => {
      response.write(content.subarray(0, 1000), () => abort.abort(new Error('stop asked for')));
    };
    expect(await failing(abort.signal)).toEqual(new Error('stop asked for'));
  });
});
