/** Who is ready: a real edge worker judges what a consortium would run at its site, by its own site.yaml, and says so. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConsortiumReadiness, type SiteReadiness } from '../../workflows/consortium-contract';
import { SiteDetail } from '../../workflows/api-contract';
import { useFolder } from '../support/folder';
import { until } from '../support/until';
import { EntryPoint } from './entry-point';
import { useJoinedSite } from './joined-site';

jest.setTimeout(120_000);

const joined = useJoinedSite('a');
const folder = useFolder();
const site = join(folder, 'site.yaml');
const process = [{ name: 'local', runtime: 'process', folder: 'local' }];
let worker: EntryPoint;

function write(other: object): void {
  const { gateway, apiUrl: api, identity } = joined;
  const datasets = { birds: 'birds', fish: 'not-there' };
  writeFileSync(site, JSON.stringify({ site: 'a', gateway, api, identity, datasets, ...other }));
}

beforeAll(async () => {
  mkdirSync(join(folder, 'birds'));
  await joined.call('POST /api/computations', { name: 'local', version: '1' });
  await joined.call('POST /api/consortia', {
    id: 'c',
    name: 'C',
    computation: { name: 'local', version: '1' },
  });
  await joined.call('POST /api/consortia/c/sites', { siteId: 'a' });
  await joined.call('POST /api/consortia/c/sites/a/answer', { accept: true, dataset: 'birds' });
  write({ computations: process });
  worker = new EntryPoint('edge', ['--config', site], {
    TEMPORAL_NAMESPACE: joined.temporal.namespace,
    MUSTER_STATE_DIR: join(folder, 'state'),
    MUSTER_RESULTS_DIR: join(folder, 'results'),
  });
});
afterAll(() => worker.end('SIGKILL'));

/** Once the site's readiness is as `is` has it. */
const seen = (is: (one: SiteReadiness) => boolean) =>
  until(async () => {
    const { sites } = ConsortiumReadiness.parse(await joined.call('GET /api/consortia/c/readiness'));
    return sites.find(is);
  });

it('says that a run could start, as soon as it is there', async () => {
  expect(await seen(({ verdict }) => verdict === 'ready')).toMatchObject({
    ...{ computation: 'allowed', image: 'not-needed', data: 'present', presence: 'here', says: [] },
  });
});

it('says so when site.yaml or the consortium is something else, and never where its data is', async () => {
  write({ computations: process, approval: 'ask', maintenance: { reason: 'the machines move' } });
  expect(await seen(({ verdict }) => verdict === 'waits')).toMatchObject({
    ...{ computation: 'needs-approval' },
    says: ['A person there approves every run.', 'nothing starts here for now: the machines move'],
  });
  write({ computations: [] });
  expect(await seen(({ verdict }) => verdict === 'not-ready')).toMatchObject({
    says: ['site.yaml: computations: computation "local" is not allowed here'],
  });
  write({ computations: process });
  await joined.call('POST /api/consortia/c/sites/a/answer', { accept: true, dataset: 'fish' });
  const missing = await seen(({ data }) => data === 'missing');
  expect(missing.says).toEqual(['the folder that the site maps to dataset "fish" does not exist']);
  const detail = SiteDetail.parse(await joined.call('GET /api/sites/a'));
  expect(detail.policy?.says).toContain('no run waits for a person');
  expect(JSON.stringify(detail)).not.toContain(folder);
});

it('is not known any more when the worker has left', async () => {
  await expect(worker.end('SIGTERM')).resolves.toBe(0);
  expect(await seen(({ verdict }) => verdict === 'not-known')).toMatchObject({
    ...{ presence: 'away', says: ['Its edge worker is away.'] },
  });
});
