/**
 * A base image made of the Node.js that runs here and the shared libraries it needs: for hosts that reach no
 * registry. It has no shell and no package manager, which a computation of plain JavaScript does not miss.
 */
import type Docker from 'dockerode';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { failure } from '../workflows/errors';
import { askFor, reasonOf } from './engine';
import { untilDone } from './progress';

const run = promisify(execFile);

const DOCKERFILE = `FROM scratch
COPY root/ /
ENV PATH=/usr/local/bin NODE_VERSION=${process.versions.node}
`;

const FILES = {
  '/etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'hosts: files dns\n',
};
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** The tag of the base, which is built if it is not there. */
export async function ensureNodeBase(engine: Docker): Promise<string> {
  const tag = `localhost/muster-node-base:${process.versions.node}`;
  if ((await askFor(engine.getImage(tag).inspect())) !== undefined) return tag;
  if (process.platform !== 'linux') {
    throw failure(
      'ImageMissing',
      'A base image can be made of the local Node.js on Linux only: pull one instead.',
    );
  }
  const context = await mkdtemp(join(tmpdir(), 'muster-node-base-'));
  try {
    await layOut(context);
    const answer = await engine.buildImage({ context, src: ['Dockerfile', 'root'] }, { t: tag, rm: true });
    await untilDone(answer);
  } catch (error) {
    throw failure('ImageMissing', `A base image could not be made of the local Node.js: ${reasonOf(error)}`);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return tag;
}

async function layOut(context: string): Promise<void> {
  const root = join(context, 'root');
  await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
  await place(process.execPath, join(root, 'usr/local/bin/node'), 0o755);
  for (const library of await librariesOf(process.execPath)) await place(library, join(root, library), 0o755);
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  }
  await place(CERTIFICATES, join(root, CERTIFICATES), 0o644).catch(() => undefined);
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
}

async function place(source: string, target: string, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, target);
  await chmod(target, mode);
}

/** Both forms of what `ldd` says: `libm.so.6 => /lib/libm.so.6 (0x...)` and `/lib64/ld-linux-x86-64.so.2 (0x...)`. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
}
