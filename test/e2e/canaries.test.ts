/**
 * Whoever copies Temporal's database, the object store or the API's database gets no key, no token, nothing of a kit and no
 * secret parameter. Each is planted or taken from the parts that run, and looked for in every file, during a run and after.
 */
import { PGlite } from '@electric-sql/pglite';
import { Connection } from '@temporalio/client';
import { temporal as proto } from '@temporalio/proto';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createCentralApi } from '../../client/central-api';
import { readIdentity } from '../../client/identity-folder';
import { joinSite } from '../../client/join-site';
import { createTransport } from '../../client/site-transport';
import { readStackFile, statePaths } from '../../dev/state';
import { openContentKey } from '../../sealing/content-key';
import { readCode } from '../../workflows/enrolment-code';
import { CanarySearch, type Canary } from '../support/canaries';
import { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { privateKeys, reportTokens, secretsOfProcess, signatureOf } from '../support/running-secrets';

jest.setTimeout(300_000);

const random = () => randomBytes(24).toString('base64url');
const SITES = ['a', 'b'];
const folder = useFolder();
const paths = statePaths(join(folder, 'state'));
/** What somebody gets who copies the stores. */
const STORES = { temporal: paths.temporal, objects: paths.minio, database: join(paths.api, 'db') };

const planted = Object.fromEntries(
  ['kit of central', 'kit of a', 'kit of b', 'large kit of a', 'parameter', "run's own parameter"].map(
    (name) => [name, random()],
  ),
);
/** What is no secret has to be found, or the search is blind. */
const OPEN = {
  consortium: `Consortium ${random()}`,
  result: `result ${random()}`,
  log: `said ${random()}`,
};

/** Provisioning puts canaries into the kits, and all parameters; nodes work until they may go on. */
function computation() {
  const shell = (script: string) => ['sh', '-c', script];
  const kit = (name: string, canaries: string) => `
    mkdir -p "$PROVISION_DIR/runKits/${name}"
    cp "${folder}"/canaries/${canaries} "$PROVISION_DIR/provision_input.json" "$PROVISION_DIR/runKits/${name}"`;
  const node = shell(`
    echo "${OPEN.log}"
    while [ ! -e "${folder}/go" ]; do sleep 0.1; done
    echo "${OPEN.result}" > "$OUTPUT_DIR/result.json"`);
  return {
    name: 'canaries',
    version: '1',
    commands: {
      provision: shell([kit('centralNode', 'central'), ...SITES.map((id) => kit(id, `*-${id}`))].join('\n')),
      central: node,
      edge: node,
    },
    parameters: {
      type: 'object',
      properties: { rounds: { type: 'integer' }, password: { type: 'string', writeOnly: true } },
    },
    outputs: { central: ['result.json'], edge: ['result.json'] },
    deadlines: { stopGrace: '1s' },
  };
}

function prepare(): string[] {
  for (const name of ['canaries', 'data/a', 'data/b']) mkdirSync(join(folder, name), { recursive: true });
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  write('canaries/central', `${planted['kit of central']}`);
  write('canaries/small-a', `${planted['kit of a']}`);
  write('canaries/small-b', `${planted['kit of b']}`);
  // Large enough to be compressed.
  write('canaries/large-a', `${'0'.repeat(2 ** 15)}${planted['large kit of a']}`);
  write('computation.json', JSON.stringify(computation()));
  write('params.json', JSON.stringify({ rounds: 3, password: planted.parameter }));
  write('go', '');
  const sites = SITES.flatMap((id) => ['--site', `${id}=${join(folder, 'data', id)}`]);
  return [join(folder, 'computation.json'), ...sites, '--params', join(folder, 'params.json')];
}

describe('the search', () => {
  const secret = random();
  const key = randomBytes(32);
  const search = new CanarySearch([
    { name: 'secret', value: secret },
    { name: 'key', value: key },
  ]);
  const noise = (text: string | Buffer) =>
    Buffer.concat([randomBytes(101), Buffer.from(text), randomBytes(57)]);
  /** A zip with one deflated file. */
  const zip = (content: string) => {
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50);
    head.writeUInt16LE(8, 8);
    head.writeUInt16LE(4, 26);
    return Buffer.concat([head, Buffer.from('name'), deflateRawSync(content)]);
  };

  it.each<[string, Buffer, string[]]>([
    ['plain', noise(secret), ['secret']],
    ['bytes', noise(key), ['key']],
    ['hexadecimal', noise(Buffer.from(secret).toString('hex')), ['secret']],
    ['capitals', noise(key.toString('hex').toUpperCase()), ['key']],
    ...[0, 1, 2].map((before): [string, Buffer, string[]] => [
      `base64 after ${before}`,
      noise(Buffer.from(`${'x'.repeat(before)}${secret}xyz`).toString('base64')),
      ['secret'],
    ]),
    ['base64url', noise(Buffer.concat([Buffer.from('x'), key]).toString('base64url')), ['key']],
    ['two bytes a letter', noise(Buffer.from(secret, 'utf16le')), ['secret']],
    ['gzip', noise(gzipSync(`${'a'.repeat(9999)}${secret}`)), ['secret']],
    ['zlib', noise(deflateSync(`${'a'.repeat(9999)}${secret}`)), ['secret']],
    ['zip', noise(zip(`${'a'.repeat(9999)}${secret}`)), ['secret']],
    ['base64 in gzip in gzip', gzipSync(noise(gzipSync(noise(key.toString('base64'))))), ['key']],
    ['cut into small pieces', Buffer.concat([0, 12, 24].map((at) => noise(secret.slice(at, at + 12)))), []],
    ['cut in two', Buffer.concat([noise(secret.slice(0, 8)), noise(secret.slice(8))]), ['secret']],
    ['nothing', noise('nothing'), []],
  ])('%s', (_form, bytes, names) => {
    expect([...search.in(bytes)]).toEqual(names);
  });
});

describe('a stack and its runs', () => {
  let consortium: Consortium;
  let runId: string;
  const canaries: Canary[] = Object.entries(planted).map(([name, value]) => ({ name, value }));
  const add = (name: string, value: string | Uint8Array) => canaries.push({ name, value });

  beforeAll(async () => {
    consortium = await Consortium.open([...prepare(), '--runtime', 'process'], { state: paths.root });
    const { api } = consortium;
    const [tried] = (await api.listConsortia()).consortia;
    if (tried === undefined) throw new Error('there is no consortium');
    const { id, secrets, memberships: _members, computation, ...body } = tried;
    if (computation === undefined) throw new Error('the consortium has no computation');
    expect(secrets).toEqual(['/password']);
    // Read, changed and written without the secret, which stays.
    await api.putConsortium({
      path: { consortiumId: id },
      body: { ...body, computation, name: OPEN.consortium },
    });
    rmSync(join(folder, 'go'));
    const parameters = { rounds: 4, password: planted["run's own parameter"] ?? '' };
    ({ runId } = await api.startRun({ path: { consortiumId: id }, body: { parameters } }));
    await consortium.up(runId);
  });
  afterAll(() => consortium.muster.end());

  it('have secrets, all of which are known here', async () => {
    const { api, muster, page } = consortium;
    const parts = await muster.processes();
    expect(parts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['api', 'gateway', 'central-worker', 'minio', 'edge-worker:a', 'edge-worker:b']),
    );
    for (const part of parts) canaries.push(...(await secretsOfProcess(part)));
    canaries.push(...(await privateKeys(paths.root)));
    canaries.push(...(await reportTokens(runId)));
    add('access token of a person', signatureOf(page.hash.replace('#token=', '')));
    await addAnswersToSite();
    await addCodes();
    const { results } = await api.listResults({
      path: { runId: (await api.listRuns()).runs.at(-1)?.runId ?? '' },
    });
    for (const { url } of results) add('signature of a result', signatureIn(url));

    const names = new Set(canaries.map(({ name }) => name));
    for (const name of [
      ...Object.keys(planted),
      ...['MUSTER_API_SECRET of api', 'MUSTER_PAYLOAD_KEYS of api', 'MUSTER_PAYLOAD_KEYS of central-worker'],
      ...[
        'MUSTER_GATEWAY_KEYS of gateway',
        'MUSTER_API_TOKEN of gateway',
        'MUSTER_API_TOKEN of central-worker',
      ],
      ...[
        'MINIO_SECRET_KEY of api',
        'MINIO_ROOT_PASSWORD of minio',
        'report token',
        'access token of a person',
      ],
      'content key of a kit',
      ...['signature of a kit', 'signature of a result', 'enrolment code', 'used enrolment code'],
      ...[join(paths.identity('a'), 'site.key'), join(paths.identity('b'), 'site.key')],
    ])
      expect(names).toContain(name);
    expect([...names].filter((name) => name.startsWith(paths.api)).length).toBeGreaterThanOrEqual(2);
  });

  it('leave none of them in the stores and the logs while nodes run', async () => {
    // Kits are removed when the run ends: now they are there.
    const objects = await readdir(STORES.objects, { recursive: true });
    expect(objects.filter((name) => name.includes(`${runId}/`) && name.includes('/kits/'))).not.toEqual([]);
    expect(await findings(canaries)).toEqual([]);
  });

  it('leave none in the histories, as Temporal gives them to whoever asks', async () => {
    const { workflows, bytes } = await rawHistories();
    expect(workflows).toBeGreaterThanOrEqual(6);
    expect([...new CanarySearch([{ name: 'run', value: runId }]).in(bytes)]).toEqual(['run']);
    expect([...new CanarySearch(canaries).in(bytes)]).toEqual([]);
  });

  it('leave none when the run and the stack have ended', async () => {
    writeFileSync(join(folder, 'go'), '');
    expect((await consortium.ended(runId)).run.state).toBe('complete');
    const { results } = await consortium.api.listResults({ path: { runId } });
    for (const { url } of results) add('signature of a result', signatureIn(url));
    consortium.muster.interrupt();
    await consortium.muster.exited;
    expect(await findings(canaries)).toEqual([]);
  });

  it('leave none in any row of the database, which may keep large values in a form of its own', async () => {
    const rows = await everyRow();
    expect(rows).toContain(OPEN.consortium);
    expect([...new CanarySearch(canaries).in(Buffer.from(rows))]).toEqual([]);
  });

  it('were looked for in all of them', async () => {
    const open = Object.entries({ ...OPEN, run: runId }).map(([name, value]) => ({ name, value }));
    const found = await findings(open);
    const foundIn = (name: string, store: string) =>
      found.some((finding) => finding.startsWith(`${name} in ${store}/`));
    expect(
      [
        ['run', STORES.temporal],
        ['run', STORES.objects],
        ['result', STORES.objects],
        ['log', STORES.objects],
        ['run', STORES.database],
        ['consortium', STORES.database],
        ['run', paths.logs],
      ].filter(([name = '', store = '']) => !foundIn(name, store)),
    ).toEqual([]);
  });

  const findings = (wanted: readonly Canary[]) =>
    new CanarySearch(wanted).inFolders([...Object.values(STORES), paths.logs]);

  /** What a site is answered when it asks for its kit. */
  async function addAnswersToSite(): Promise<void> {
    const { run } = await consortium.api.getRun({ path: { runId } });
    const { sites } = (await readStackFile(paths)) ?? {};
    if (sites === undefined || run.launchId === undefined) throw new Error('nothing runs');
    const { ca, certificate: cert, key } = await readIdentity(paths.identity('a'));
    const transport = createTransport(sites.apiUrl, { ca, cert, key });
    const api = createCentralApi({ url: sites.apiUrl, fetch: transport.fetch });
    const { url, reportToken, sealed } = await api.getRunKit(runId, run.launchId, 'a');
    const contentKey = sealed && (await openContentKey(sealed.contentKey, createPrivateKey(key)));
    if (contentKey === undefined) throw new Error('the site is given no key of its kit');
    add('content key of a kit', contentKey);
    add('content key of a kit', contentKey.toString('base64url'));
    add('signature of a kit', signatureIn(url));
    add('report token', signatureOf(reportToken));
    await transport.close();
  }

  /** Codes by which sites may join: one that was used, one that may be used yet. */
  async function addCodes(): Promise<void> {
    const { sites } = (await readStackFile(paths)) ?? {};
    for (const [name, siteId] of [
      ['enrolment code', 'c'],
      ['used enrolment code', 'd'],
    ] as const) {
      const { code: text } = await consortium.api.addSite({ body: { id: siteId } });
      const code = readCode(text);
      if (code === undefined || sites === undefined) throw new Error('no site can join');
      add(name, code.secret);
      // Before the part that names the authority, which is known to all.
      add(name, text.slice(2, 2 + 29));
      add(name, text.slice(2).replaceAll('-', '').slice(0, 25));
      if (name === 'used enrolment code') await joinSite(sites.apiUrl, { ...code, text });
    }
  }

  async function rawHistories(): Promise<{ workflows: number; bytes: Buffer }> {
    const { temporal: server } = (await readStackFile(paths)) ?? {};
    if (server === undefined) throw new Error('nothing runs');
    const { namespace } = server;
    const connection = await Connection.connect({ address: server.address });
    try {
      const { workflowService: service } = connection;
      const { executions } = await service.listWorkflowExecutions({ namespace, pageSize: 1000 });
      const pieces: Uint8Array[] = [];
      for (const { execution } of executions) {
        const { history } = await service.getWorkflowExecutionHistory({
          namespace,
          execution: execution ?? null,
        });
        const described = await service.describeWorkflowExecution({
          namespace,
          execution: execution ?? null,
        });
        pieces.push(
          proto.api.history.v1.History.encode(history ?? {}).finish(),
          proto.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(described).finish(),
        );
      }
      return { workflows: pieces.length / 2, bytes: Buffer.concat(pieces) };
    } finally {
      await connection.close();
    }
  }

  /** Of every table, as text. */
  async function everyRow(): Promise<string> {
    const copy = join(folder, 'copy');
    cpSync(STORES.database, copy, { recursive: true });
    const database = await PGlite.create(copy);
    try {
      const { rows: tables } = await database.query<{ name: string }>(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
      );
      const texts: string[] = [];
      for (const { name } of tables) {
        const { rows } = await database.query<{ row: string }>(`select t::text as row from ${name} t`);
        texts.push(...rows.map(({ row }) => row));
      }
      return texts.join('\n');
    } finally {
      await database.close();
    }
  }
});

function signatureIn(url: string): string {
  const signature = new URL(url).searchParams.get('X-Amz-Signature');
  if (signature === null) throw new Error('the address is not signed');
  return signature;
}
