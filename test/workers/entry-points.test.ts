/** Starting the built workers: what a person sees of a mistake, and what an idle one takes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporal as temporalProto } from '@temporalio/proto';
import { PresenceBody } from '../../workflows/api-contract';
import { siteQueue } from '../../workflows/contract';
import { ContractServer } from '../support/contract-server';
import { useFolder } from '../support/folder';
import { testObjectStoreEnv } from '../support/object-store';
import { useTemporal } from '../support/temporal';
import { EntryPoint, type Environment } from './entry-point';

const temporal = useTemporal();
const folder = useFolder();
const site = join(folder, 'site.yaml');
const computations = join(folder, 'computations.yaml');
mkdirSync(join(folder, 'data'));
writeFileSync(site, 'site: a\ndatasets: { data: data }\n');
writeFileSync(computations, 'computations: []\n');

const running: EntryPoint[] = [];
afterEach(() => Promise.all(running.splice(0).map((worker) => worker.end('SIGKILL'))));

function start(name: 'edge' | 'central', args: readonly string[] = [], env: Environment = {}): EntryPoint {
  const worker = new EntryPoint(name, args, {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    MUSTER_API_URL: 'http://127.0.0.1:1',
    MUSTER_API_TOKEN: 'secret',
    MUSTER_STATE_DIR: join(folder, name, 'state'),
    MUSTER_RESULTS_DIR: join(folder, name, 'results'),
    ...(name === 'central' && {
      ...testObjectStoreEnv(),
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
  writeFileSync(wrong, 'site: a\ncomputations: [{ name: x }]\n');

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
    ['edge', 'no token', edge, { MUSTER_API_TOKEN: undefined }, 'MUSTER_API_TOKEN is not set'],
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

test('a Temporal that does not answer is named in one line, with its stack in the log only', async () => {
  const worker = start('edge', ['--config', site], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  await expect(worker.ended).resolves.toBe(1);
  expect(worker.stderr).toMatch(/^edge-worker: no answer from Temporal at 127\.0\.0\.1:1 [^\n]+\n$/);
  expect(worker.stdout).toContain('"stack"');
  expectJsonLines(worker.stdout);
});

/** The log is for machines: also the SDK and its native core write nothing else into it. */
function expectJsonLines(log: string): void {
  const lines = log.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith('{') || !line.endsWith('}'))).toEqual([]);
}

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
    expect(worker.stdout).not.toContain('secret');
    await expect(worker.end('SIGTERM')).resolves.toBe(0);
    expect(worker.stderr).toBe('');
  });

  test('tells the central API that it is there, and that it leaves', async () => {
    const api = new ContractServer();
    await api.start();
    const worker = start('edge', ['--config', site], { MUSTER_API_URL: api.url });
    const told = () => api.seen.filter(({ path }) => path === '/api/sites/a/presence');
    while (told().length === 0) await pause(20);
    await worker.says('ready');
    await expect(worker.end('SIGTERM')).resolves.toBe(0);
    await api.stop();
    expect(told()[0]).toMatchObject({ method: 'POST', headers: { authorization: 'Bearer secret' } });
    expect(told().map(({ body }) => PresenceBody.parse(body).state)).toEqual(['here', 'leaving']);
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
