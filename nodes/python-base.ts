/**
 * A base image with Debian's Python 3.11: for hosts that reach a Debian mirror and no registry. It is made by
 * debootstrap, which needs about a minute and the rights of root.
 */
import type Docker from 'dockerode';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { failure } from '../workflows/errors';
import { askFor, reasonOf } from './engine';
import { errorCode } from './error-code';
import { untilDone } from './progress';

const run = promisify(execFile);

const RELEASE = 'bookworm';
const REPOSITORY = 'localhost/muster-python-base';
const VERSION = `3.11-${RELEASE}`;
const TAG = `${REPOSITORY}:${VERSION}`;

const PACKAGES = ['ca-certificates', 'python3', 'python3-pip', 'python3-venv'];
/** Caches, documentation, and the mark by which Debian keeps pip from installing anything. */
const SUPERFLUOUS = [
  'usr/lib/python3.11/EXTERNALLY-MANAGED',
  'usr/share/doc',
  'usr/share/locale',
  'usr/share/man',
  'var/cache/apt',
  'var/lib/apt/lists',
];
const CERTIFICATES = 'etc/ssl/certs/ca-certificates.crt';
const SETTINGS = [
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'ENV LANG=C.UTF-8',
  'CMD ["python"]',
];

const PATIENCE_MS = 15 * 60_000;
const MAX_OUTPUT_BYTES = 2 ** 24;

/** The tag of the base, which is built if it is not there. */
export async function ensurePythonBase(engine: Docker): Promise<string> {
  if ((await askFor(engine.getImage(TAG).inspect())) !== undefined) return TAG;
  if (process.platform !== 'linux') throw cannotBeMade('that works on Linux only. Pull an image instead.');
  if (process.getuid?.() !== 0) {
    throw cannotBeMade(
      'debootstrap needs the rights of root. Pull an image instead, or run this once as root.',
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'muster-python-base-'));
  try {
    const root = join(folder, 'root');
    await install(root);
    await adapt(root);
    await importRoot(engine, root);
  } catch (error) {
    throw cannotBeMade(reasonOf(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return TAG;
}

const cannotBeMade = (reason: string) =>
  failure('ImageMissing', `A base image with Python could not be made of Debian's packages: ${reason}`);

async function install(root: string): Promise<void> {
  const mirror = await mirrorInUse();
  const options = ['--variant=minbase', `--include=${PACKAGES.join(',')}`];
  const command = [...options, RELEASE, root, ...(mirror === undefined ? [] : [mirror])];
  const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  await run('debootstrap', command, {
    env: { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: PATIENCE_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  }).catch((error: unknown) => {
    throw errorCode(error) === 'ENOENT' ? new Error('debootstrap is not installed. Install it.') : error;
  });
}

/** The mirror that this host's own packages come from; on a host that is no Debian, debootstrap knows one. */
async function mirrorInUse(): Promise<string | undefined> {
  const filters = ['Created-By: Packages', 'Origin: Debian', `Codename: ${RELEASE}`, 'Component: main'];
  const sites = await run('apt-get', ['indextargets', '--format', '$(SITE)', ...filters]).then(
    ({ stdout }) => stdout.split('\n'),
    () => [],
  );
  return sites.find((site) => /^https?:\/\//.test(site));
}

/** Makes of a Debian what images of Python are: `python` is a command, and `pip` installs into the system. */
async function adapt(root: string): Promise<void> {
  for (const path of SUPERFLUOUS) await rm(join(root, path), { recursive: true, force: true });
  await symlink('/usr/bin/python3', join(root, 'usr/local/bin/python'));
  // Whatever this host trusts to bring it packages, an image that is built on it trusts as well.
  await copyFile(join('/', CERTIFICATES), join(root, CERTIFICATES)).catch(() => undefined);
}

async function importRoot(engine: Docker, root: string): Promise<void> {
  const tar = spawn('tar', ['--create', '--numeric-owner', '--directory', root, '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const options = { repo: REPOSITORY, tag: VERSION, changes: SETTINGS };
  const importing = engine.importImage(tar.stdout, options).then((answer) => untilDone(answer));
  const [[code]] = await Promise.all([once(tar, 'close') as Promise<[number | null]>, importing]);
  if (code === 0) return;
  // What there is of it would be taken for the whole next time.
  await askFor(engine.getImage(TAG).remove());
  throw new Error(`tar ended with ${code}`);
}
