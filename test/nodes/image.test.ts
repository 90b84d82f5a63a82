import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askFor, connectEngine } from '../../nodes/engine';
import { ensureImage } from '../../nodes/image';
import { describeWithEngine } from './needs-engine';

const engine = connectEngine();

describeWithEngine('the image of a computation', () => {
  let folder: string;
  let registry: Server;
  /** `host:port` of a registry that takes every connection and never says a word. */
  let silent: string;
  const sockets = new Set<Socket>();
  const built: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-image-'));
    registry = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(
      0,
      '127.0.0.1',
    );
    await once(registry, 'listening');
    silent = `127.0.0.1:${(registry.address() as { port: number }).port}`;
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    registry.close();
    for (const image of built.splice(0)) await askFor(engine.getImage(image).remove({ force: true }));
    await rm(folder, { recursive: true });
  });

  /** An image name that no host has, at the silent registry. */
  function unknownImage(): string {
    const image = `${silent}/computation:1`;
    built.push(image);
    return image;
  }
  const dockerfile = (lines: string[]) => writeFile(join(folder, 'Dockerfile'), lines.join('\n'));
  const files = async (image: string) => {
    const container = await engine.createContainer({ Image: image, Cmd: ['node', '-p', '"it is " + 6 * 7'] });
    try {
      await container.start();
      await container.wait();
      return (await container.logs({ stdout: true })).toString('utf8', 8).trim();
    } finally {
      await container.remove({ force: true });
    }
  };

  test('is built where no registry answers: on a base made of the Node.js that runs here, and only once', async () => {
    const image = unknownImage();
    await dockerfile([`ARG BASE=${silent}/node:20-bookworm-slim`, 'FROM ${BASE}', 'LABEL made=here']);
    const said: string[] = [];
    const request = {
      engine,
      image,
      folder,
      pullPatienceMs: 300,
      say: (line: string) => void said.push(line),
    };

    const id = await ensureImage(request);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(said).toContain(`Pulling ${image}`);
    expect(said.join('\n')).toContain('the registry was silent for 0.3 s');
    expect(said).toContain(`Building ${image} from ${folder}`);
    expect(await files(id)).toBe('it is 42');

    said.length = 0;
    expect(await ensureImage(request)).toBe(id);
    expect(said).toEqual([]);
    // An id names an image as well as its tag does.
    expect(await ensureImage({ ...request, image: id })).toBe(id);
  });

  test('is built anew on request, and is another one only if its folder has changed', async () => {
    const image = unknownImage();
    await dockerfile(['FROM scratch', 'COPY one.txt /']);
    await writeFile(join(folder, 'one.txt'), 'one');
    const request = { engine, image, folder, build: true };
    const first = await ensureImage(request);
    expect(await ensureImage(request)).toBe(first);
    await writeFile(join(folder, 'one.txt'), 'two');
    const second = await ensureImage(request);
    built.push(second, first);
    expect(second).not.toBe(first);
  });

  test('that can neither be pulled nor built is missing for now, and the failure says why', async () => {
    const image = `${silent}/computation:2`;
    await expect(ensureImage({ engine, image, folder, pullPatienceMs: 200 })).rejects.toMatchObject({
      type: 'ImageMissing',
      nonRetryable: false,
      message: `The image ${image} is not on this host and cannot be pulled: the registry was silent for 0.2 s`,
    });
  });

  test("that fails to build is missing for now, and the failure holds the builder's words", async () => {
    const image = `${silent}/computation:3`;
    await dockerfile(['FROM scratch', 'COPY no-such-file /']);
    await expect(ensureImage({ engine, image, folder, build: true })).rejects.toMatchObject({
      type: 'ImageMissing',
      message: expect.stringContaining('no-such-file') as string,
    });
  });
});
