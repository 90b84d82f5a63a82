/** A Postgres server of one's own. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../dev/ports';
import type { Part } from '../../dev/part';
import { findOnPath } from '../../dev/programs';
import { listens } from '../../dev/readiness';
import type { Certified } from '../support/certificates';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const USER = 'muster';
/** Debian keeps the servers of all versions here, on nobody's PATH. */
const VERSIONS = '/usr/lib/postgresql';
/** Postgres refuses to be root. */
const NOBODY = { uid: 65_534, gid: 65_534 };

export interface OwnPostgres {
  part: Part;
  url: string;
  remove: () => Promise<void>;
}

/** Why this machine cannot have one; `undefined` where it can. */
export async function whyNoPostgres(): Promise<string | undefined> {
  return (await findServer('initdb')) === undefined ? 'Postgres is not installed' : undefined;
}

async function findServer(program: string): Promise<string | undefined> {
  const versions = await readdir(VERSIONS).catch(() => []);
  const folders = [process.env.PATH, ...versions.map((version) => join(VERSIONS, version, 'bin'))];
  return findOnPath(program, { PATH: folders.join(delimiter) });
}

/**
 * A server with an empty database.
 * @param certified by which it lets itself be reached by TLS, and not without
 */
export async function ownPostgres(certified?: Certified): Promise<OwnPostgres> {
  const [initdb, postgres] = await Promise.all(['initdb', 'postgres'].map(findServer));
  if (initdb === undefined || postgres === undefined) throw new Error('Postgres is not installed here');
  const isRoot = process.getuid?.() === 0;
  const root = await mkdtemp(join(tmpdir(), 'muster-postgres-'));
  const data = join(root, 'data');
  if (isRoot) {
    await chmod(root, 0o755);
    await mkdir(data);
    await chown(data, NOBODY.uid, NOBODY.gid);
  }
  const asNobody: [string, ...string[]] = [
    'setpriv',
    `--reuid=${NOBODY.uid}`,
    `--regid=${NOBODY.gid}`,
    '--clear-groups',
  ];
  const command = (file: string, ...args: string[]): [string, ...string[]] =>
    isRoot ? [...asNobody, file, ...args] : [file, ...args];
  const [file, ...args] = command(
    initdb,
    '--pgdata',
    data,
    '--username',
    USER,
    '--auth',
    'trust',
    '--no-sync',
  );
  await run(file, args);
  const port = await freePort([HOST]);
  const settings = {
    ...{ listen_addresses: HOST, port: String(port), unix_socket_directories: '' },
    ...(certified && (await onlyByTls(data, certified, isRoot))),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    part: {
      name: 'postgres',
      command: command(postgres, '-D', data, ...options),
      env: {},
      address: `${HOST}:${port}`,
      logFile: join(root, 'log'),
      ready: listens(HOST, port),
    },
    url: `postgres://${USER}@${HOST}:${port}/postgres`,
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Settings of a server whose files, and who may connect, are in its data folder. */
async function onlyByTls(data: string, { cert, key }: Certified, isRoot: boolean) {
  const files = { 'server.crt': cert, 'server.key': key, 'pg_hba.conf': 'hostssl all all all trust\n' };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(data, name), content, { mode: 0o600 });
    if (isRoot) await chown(join(data, name), NOBODY.uid, NOBODY.gid);
  }
  return { ssl: 'on' };
}
