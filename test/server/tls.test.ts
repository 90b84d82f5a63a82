/** What the central API works with, by TLS: Temporal and Postgres. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTlsFiles, tlsFiles } from '../../certificates/tls-files';
import { readConfig } from '../../server/config';
import { openDatabase } from '../../server/db/client';
import { consortia } from '../../server/db/schema';
import { connectTemporal, createRuns } from '../../server/runs/temporal';
import { ownPostgres, whyNoPostgres, type OwnPostgres } from '../faults/postgres';
import { createTestAuthority, type Certified, type TestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';
import { listening, startGuarded, type Guarded } from '../support/guarded';
import { TEST_KEYS, TEST_KEYS_TEXT } from '../support/sealed';
import { useTemporal } from '../support/temporal';
import { startTlsFront, type TlsFront } from '../support/tls-front';
import { silent } from './databases';

const folder = useFolder();
const at = (name: string) => join(folder, name);
const temporal = useTemporal();
let authority: TestAuthority;
let server: Certified;

beforeAll(async () => {
  authority = await createTestAuthority();
  const [own, other] = await Promise.all([
    authority.issue({ subject: [{ CN: ['api'] }] }),
    createTestAuthority('Another'),
  ]);
  server = await authority.issueServer();
  const files = { 'ca.crt': authority.cert, 'api.crt': own.cert, 'api.key': own.key };
  for (const [name, pem] of Object.entries({ ...files, 'other.crt': other.cert, 'other.key': other.key }))
    await writeFile(at(name), pem);
});

/** The settings as the API reads them. */
const config = (env: Record<string, string>) =>
  readConfig({
    ...{ MUSTER_API_SECRET: 'x'.repeat(32), MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT, MUSTER_DATA_DIR: folder },
    ...{ MINIO_ENDPOINT: 'http://127.0.0.1:1', MINIO_ACCESS_KEY: 'a', MINIO_SECRET_KEY: 's' },
    ...env,
  });

describe('the files for TLS', () => {
  const read = async (env: Record<string, string>) => {
    const files = tlsFiles('TEMPORAL', env, (name, why) => {
      throw new Error(`${name} ${why}`);
    });
    return files && readTlsFiles('TEMPORAL', files);
  };

  it('are an authority, and what is shown to it where that is wanted', async () => {
    expect(await read({ TEMPORAL_TLS_CA: '' })).toBeUndefined();
    expect(await read({ TEMPORAL_TLS_CA: at('ca.crt') })).toEqual({ ca: authority.cert });
    const own = { TEMPORAL_TLS_CERT: at('api.crt'), TEMPORAL_TLS_KEY: at('api.key') };
    expect(await read({ TEMPORAL_TLS_CA: at('ca.crt'), ...own })).toMatchObject({ ca: authority.cert });
  });

  it.each<[string, Record<string, string>, string]>([
    ['no key', { CA: 'ca.crt', CERT: 'api.crt' }, 'TEMPORAL_TLS_KEY is not set, and TEMPORAL_TLS_CERT is'],
    ['no certificate', { CA: 'ca.crt', KEY: 'api.key' }, 'TEMPORAL_TLS_CERT is not set, and'],
    ['no authority', { CERT: 'api.crt', KEY: 'api.key' }, 'TEMPORAL_TLS_CA is not set: name the file'],
    ['no file', { CA: 'none.crt' }, 'TEMPORAL_TLS_CA: FOLDER/none.crt cannot be read: '],
    ['a key as authority', { CA: 'api.key' }, 'TEMPORAL_TLS_CA: FOLDER/api.key is not a certificate (PEM).'],
    [
      'a certificate as key',
      { CA: 'ca.crt', CERT: 'api.crt', KEY: 'api.crt' },
      'TEMPORAL_TLS_KEY: FOLDER/api.crt is not a private key (PEM).',
    ],
    [
      'the key of another',
      { CA: 'ca.crt', CERT: 'api.crt', KEY: 'other.key' },
      'TEMPORAL_TLS_KEY: FOLDER/other.key is not the key of FOLDER/api.crt.',
    ],
  ])('are said to be wrong by the name of the setting: %s', async (_, files, words) => {
    const env = Object.entries(files).map(([which, name]) => [`TEMPORAL_TLS_${which}`, at(name)]);
    await expect(read(Object.fromEntries(env) as Record<string, string>)).rejects.toThrow(
      words.replaceAll('FOLDER', folder),
    );
  });
});

describe('Temporal by TLS', () => {
  const fronts: TlsFront[] = [];
  afterAll(() => Promise.all(fronts.map((front) => front.close())));

  /** Whether runs could be started, by these settings. */
  async function check(front: TlsFront, env: Record<string, string>): Promise<void> {
    const { tls, address, namespace } = config({
      ...{ TEMPORAL_ADDRESS: front.address, TEMPORAL_NAMESPACE: temporal.namespace },
      ...env,
    }).temporal;
    const client = connectTemporal(
      { address, namespace },
      TEST_KEYS,
      tls && (await readTlsFiles('TEMPORAL', tls)),
    );
    try {
      await createRuns(client).check();
    } finally {
      await client.connection.close();
    }
  }
  async function front(ca?: string): Promise<TlsFront> {
    const opened = await startTlsFront(temporal.address, server, ca);
    fronts.push(opened);
    return opened;
  }

  it('is reached where TEMPORAL_TLS_CA certifies it, and by nobody else', async () => {
    const open = await front();
    await check(open, { TEMPORAL_TLS_CA: at('ca.crt') });
    await expect(check(open, { TEMPORAL_TLS_CA: at('other.crt') })).rejects.toThrow(
      /^Temporal does not answer \([^\n]*unable to verify the first certificate[^\n]*\)\. Try again\.$/,
    );
    await expect(check(open, {})).rejects.toThrow('Temporal does not answer');
  });

  it('is shown a certificate where it wants one', async () => {
    const closed = await front(authority.cert);
    const own = { TEMPORAL_TLS_CERT: at('api.crt'), TEMPORAL_TLS_KEY: at('api.key') };
    await check(closed, { TEMPORAL_TLS_CA: at('ca.crt'), ...own });
    expect(closed.shown).toHaveLength(1);
    await expect(check(closed, { TEMPORAL_TLS_CA: at('ca.crt') })).rejects.toThrow(
      'Temporal does not answer',
    );
  });
});

describe('Postgres by TLS', () => {
  let postgres: OwnPostgres;
  let running: Guarded;

  beforeAll(async () => {
    expect(await whyNoPostgres()).toBeUndefined();
    postgres = await ownPostgres(server);
    const { command, logFile } = postgres.part;
    running = startGuarded(command, { logFile });
    await listening(Number(new URL(postgres.url).port), running);
  }, 60_000);
  afterAll(async () => {
    await running.stop();
    await postgres.remove();
  });

  /** Opens it, writes and reads, and says by which protocol. */
  async function use(query: string, env: Record<string, string> = {}, host = '127.0.0.1'): Promise<void> {
    const url = new URL(`${postgres.url}${query}`);
    url.hostname = host;
    const database = await openDatabase(config({ DATABASE_URL: url.href, ...env }).database, silent);
    await database.db.select().from(consortia);
    await database.close();
  }
  const ca = () => ({ DATABASE_TLS_CA: at('ca.crt') });

  it.each(['', '?sslmode=require', '?sslmode=verify-ca', '?sslmode=verify-full'])(
    'is reached where DATABASE_TLS_CA certifies it: %s',
    async (query) => {
      await use(query, ca());
      await expect(use(query, { DATABASE_TLS_CA: at('other.crt') })).rejects.toThrow(
        /^Cannot open the database at 127\.0\.0\.1:\d+ by TLS \(DATABASE_TLS_CA\): [^\n]*unable to verify the first certificate$/,
      );
    },
  );

  it('is held to its name as well', async () => {
    await use('', ca(), 'localhost');
    await expect(use('', ca(), '127.0.0.2')).rejects.toThrow(/ECONNREFUSED|IP: 127\.0\.0\.2 is not in/);
  });

  it.each(['?sslmode=require', '?sslmode=verify-full'])(
    'is held to what the machine trusts where no authority is named: %s',
    async (query) => {
      await expect(use(query)).rejects.toThrow(/by TLS: [^\n]*unable to verify the first certificate$/);
    },
  );

  it('that takes no other connections is not reached without TLS', async () => {
    for (const query of ['', '?sslmode=disable'])
      await expect(use(query)).rejects.toThrow(/no pg_hba.conf entry .* no encryption/);
  });

  it.each<[string, Record<string, string>, string]>([
    ['?sslmode=no-verify', {}, 'DATABASE_URL must not say sslmode=no-verify: say verify-full, or disable'],
    ['?sslmode=prefer', {}, 'DATABASE_URL must not say sslmode=prefer'],
    ['?sslmode=disable', { DATABASE_TLS_CA: '/ca' }, 'sslmode=disable: DATABASE_TLS_CA is set'],
    ['?sslrootcert=/ca&uselibpqcompat=true', {}, 'DATABASE_URL must not say sslrootcert, uselibpqcompat'],
    ['', { DATABASE_TLS_CERT: '/cert', DATABASE_TLS_CA: '/ca' }, 'DATABASE_TLS_KEY is not set, and'],
  ])('is not reached by half: %s %j', (query, env, words) => {
    expect(() => config({ DATABASE_URL: `postgres://muster@db/muster${query}`, ...env })).toThrow(words);
  });
});
