/** Starting the built workers: what a person sees of a mistake, and what an idle one takes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporal as temporalProto } from '@temporalio/proto';
import { siteQueue } from '../../workflows/contract';
import { useFolder } from '../support/folder';
import { createTestAuthority } from '../support/certificates';
import { testObjectStoreEnv } from '../support/object-store';
import { startTlsFront, type TlsFront } from '../support/tls-front';
import { TEST_KEYS_TEXT } from '../support/sealed';
import { EntryPoint, type Environment } from './entry-point';
import { useJoinedSite } from './joined-site';

const joined = useJoinedSite('a');
const { temporal } = joined;
const folder = useFolder();
const site = join(folder, 'site.yaml');
const computations = join(folder, 'computations.yaml');
mkdirSync(join(folder, 'data'));
writeFileSync(computations, 'computations: []\n');
beforeAll(() => writeFileSync(site, siteFile()));

/** As `muster site join` leaves it, but for what `other` says. */
function siteFile(other: object = {}): string {
  const { gateway, apiUrl: api, identity } = joined;
  return JSON.stringify({ site: 'a', gateway, api, identity, datasets: { data: 'data' }, ...other });
}

const running: EntryPoint[] = [];
afterEach(() => Promise.all(running.splice(0).map((worker) => worker.end('SIGKILL'))));

function start(name: 'edge' | 'central', args: readonly string[] = [], env: Environment = {}): EntryPoint {
  const worker = new EntryPoint(name, args, {
    TEMPORAL_NAMESPACE: temporal.namespace,
    MUSTER_STATE_DIR: join(folder, name, 'state'),
    MUSTER_RESULTS_DIR: join(folder, name, 'results'),
    ...(name === 'central' && {
      ...testObjectStoreEnv(),
      TEMPORAL_ADDRESS: temporal.address,
      MUSTER_API_URL: 'http://127.0.0.1:1',
      MUSTER_API_TOKEN: 'secret',
      MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT,
      MUSTER_COMPUTATIONS: computations,
      MUSTER_HOST_ID: 'h',
    }),
    ...env,
  });
  running.push(worker);
  return worker;
}

describe('a mistake is one line, and exit code 2', () => {
  const edge = ['--config', site];
  const wrong = join(folder, 'wrong.yaml');
  const stranger = join(folder, 'stranger.yaml');
  const another = join(folder, 'another.yaml');
  beforeAll(() => {
    writeFileSync(wrong, siteFile({ computations: [{ name: 'x' }] }));
    writeFileSync(stranger, siteFile({ identity: folder }));
    writeFileSync(another, siteFile({ site: 'b' }));
  });

  test.each<['edge' | 'central', string, readonly string[], Environment, string]>([
    ['edge', 'no site.yaml', [], {}, 'usage: edge --config site.yaml'],
    ['edge', 'an unknown option', ['--conf', site], {}, "Unknown option '--conf'"],
    [
      'edge',
      'a site.yaml that is not there',
      ['--config', '/no/site.yaml'],
      {},
      '/no/site.yaml: there is no such file',
    ],
    [
      'edge',
      'a wrong site.yaml',
      ['--config', wrong],
      {},
      `${wrong}: /computations/0 name an image, a folder or both`,
    ],
    ['edge', 'a site that has not joined', ['--config', stranger], {}, 'Join with `muster site join`'],
    ['edge', 'the identity of another site', ['--config', another], {}, `${another} is of the site b, and `],
    ['edge', 'an unknown log level', edge, { MUSTER_LOG_LEVEL: 'loud' }, 'MUSTER_LOG_LEVEL'],
    [
      'central',
      'wrong ports',
      [],
      { MUSTER_CENTRAL_PORTS: '9-1' },
      'MUSTER_CENTRAL_PORTS must be a range of ports',
    ],
    ['central', 'no object store', [], { MINIO_ENDPOINT: undefined }, 'MINIO_ENDPOINT is not set'],
    [
      'central',
      'no computations file',
      [],
      { MUSTER_COMPUTATIONS: '/no/c.yaml' },
      '/no/c.yaml: there is no such file',
    ],
  ])('%s: %s', async (name, _, args, env, words) => {
    const worker = start(name, args, env);
    await expect(worker.ended).resolves.toBe(2);
    expect(worker.stderr).toContain(words);
    expect(worker.stderr).toMatch(/^(edge|central)-worker: [^\n]+\n$/);
    expect(worker.stdout).toBe('');
  });
});

test('a gateway that does not answer is named in one line, with its stack in the log only', async () => {
  const away = join(folder, 'away.yaml');
  writeFileSync(away, siteFile({ gateway: '127.0.0.1:1' }));
  const worker = start('edge', ['--config', away]);
  await expect(worker.ended).resolves.toBe(1);
  expect(worker.stderr).toMatch(/^edge-worker: no answer from the site gateway at 127\.0\.0\.1:1: [^\n]+\n$/);
  expect(worker.stdout).toContain('"stack"');
  expectJsonLines(worker.stdout);
});

/** The log is for machines: also the SDK and its native core write nothing else into it. */
function expectJsonLines(log: string): void {
  const lines = log.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith('{') || !line.endsWith('}'))).toEqual([]);
}

describe('a central worker that reaches Temporal by TLS', () => {
  const at = (name: string) => join(folder, name);
  let front: TlsFront;
  beforeAll(async () => {
    const authority = await createTestAuthority();
    const own = await authority.issue({ subject: [{ CN: ['central'] }] });
    const other = await createTestAuthority('Another');
    const files = {
      'ca.crt': authority.cert,
      'own.crt': own.cert,
      'own.key': own.key,
      'other.crt': other.cert,
    };
    for (const [name, pem] of Object.entries(files)) writeFileSync(at(name), pem);
    front = await startTlsFront(temporal.address, await authority.issueServer(), authority.cert);
  });
  afterAll(() => front.close());
  const startByTls = (env: Environment) =>
    start('central', [], {
      TEMPORAL_ADDRESS: front.address,
      TEMPORAL_TLS_CERT: at('own.crt'),
      TEMPORAL_TLS_KEY: at('own.key'),
      ...env,
    });

  test('works', async () => {
    const worker = startByTls({ TEMPORAL_TLS_CA: at('ca.crt') });
    await worker.says('ready');
    await expect(worker.end('SIGTERM')).resolves.toBe(0);
    expect(worker.stdout).not.toContain('PRIVATE KEY');
  });

  test('does not believe whom another authority certifies, and names the setting in one line', async () => {
    const worker = startByTls({ TEMPORAL_TLS_CA: at('other.crt') });
    await expect(worker.ended).resolves.toBe(1);
    expect(worker.stderr).toMatch(
      /^central-worker: no answer from Temporal at [^\n]+ \(TEMPORAL_ADDRESS, TEMPORAL_TLS_CA\): [^\n]*InvalidCertificate[^\n]*\n$/,
    );
  });

  test('needs files that are there', async () => {
    const worker = startByTls({ TEMPORAL_TLS_CA: at('none.crt') });
    await expect(worker.ended).resolves.toBe(2);
    expect(worker.stderr).toMatch(/^central-worker: TEMPORAL_TLS_CA: \S+ cannot be read: ENOENT[^\n]*\n$/);
  });
});

describe('an edge worker', () => {
  /** Whether the site's queue is polled, as Temporal sees it. */
  async function isPolled(): Promise<boolean> {
    const { pollers } = await temporal.connection.workflowService.describeTaskQueue({
      namespace: temporal.namespace,
      taskQueue: { name: siteQueue('a') },
      taskQueueType: temporalProto.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    });
    return pollers.length > 0;
  }

  test('that is idle takes less than 130 MiB, and ends when asked', async () => {
    const worker = start('edge', ['--config', site]);
    await worker.says('ready');
    while (!(await isPolled())) await pause(20);
    const status = await readFile(`/proc/${worker.pid}/status`, 'utf8');
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    expect(Number(kilobytes) / 1024).toBeLessThan(130);
    expect(worker.stdout).not.toContain('PRIVATE KEY');
    await expect(worker.end('SIGTERM')).resolves.toBe(0);
    expect(worker.stderr).toBe('');
  });

  test('tells the central API that it is there, and that it leaves', async () => {
    const worker = start('edge', ['--config', site]);
    while ((await joined.presence()) !== 'here') await pause(20);
    await worker.says('ready');
    await expect(worker.end('SIGTERM')).resolves.toBe(0);
    expect(await joined.presence()).toBe('away');
  });
});

test('a central worker polls the queue that all share and the one of its host, and ends when asked', async () => {
  const worker = start('central');
  await worker.says('ready');
  expect(worker.stdout).toContain('"queues":["central","central.h"]');
  await expect(worker.end('SIGTERM')).resolves.toBe(0);
  expectJsonLines(worker.stdout);
  expect(worker.stderr).toBe('');
});
