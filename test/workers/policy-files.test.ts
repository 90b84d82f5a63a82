/** What an administrator writes, and when it counts. */
import { join } from 'node:path';
import { rm, writeFile } from 'node:fs/promises';
import { readComputationsFile, readSiteFile } from '../../workers/policy-files';
import { SettingsError } from '../../workers/settings';
import { Stage, failureOf } from '../activities/stage';
import { useFolder } from '../support/folder';

const folder = useFolder();
const path = join(folder, 'site.yaml');
const write = (text: string) => writeFile(path, text);
/** What `muster site join` writes into every site.yaml. */
const ADDRESSES = { gateway: 'gateway.example.org:7410', api: 'https://sites.example.org:7443' };
const JOINED = `\ngateway: ${ADDRESSES.gateway}\napi: ${ADDRESSES.api}\n`;
const writeSite = (text: string) => write(text + JOINED);
/** What a file without rules about runs and containers says of them. */
const MORE = {
  ...{ file: 'site.yaml', approval: 'auto', quietHours: [] },
  containers: { readOnlyRoot: false, reach: 'federation' },
};

test('site.yaml names what may run and where data is; folders are taken from where the file is', async () => {
  await write(`
site: biscoe
computations:
  - { name: a, runtime: docker, image: registry/a@sha256:1 }
  - { name: b, folder: computations/b }
datasets: { penguins: ../data, other: /srv/other }
resources: { cpus: 1.5, memory: 2Gi }
logs: none
results: hidden
identity: keys
reports: https://muster.example.org
${JOINED}`);
  await expect(readSiteFile(path)).resolves.toEqual({
    site: 'biscoe',
    ...ADDRESSES,
    identity: join(folder, 'keys'),
    reports: 'https://muster.example.org',
    computations: [
      { name: 'a', runtime: 'docker', image: 'registry/a@sha256:1' },
      { name: 'b', runtime: 'auto', folder: join(folder, 'computations/b') },
    ],
    datasets: { penguins: join(folder, '../data'), other: '/srv/other' },
    resources: { cpus: 1.5, memory: '2Gi' },
    logs: 'none',
    results: 'hidden',
    ...MORE,
  });
});

test('what site.yaml leaves out is not allowed, not there and not uncapped by accident', async () => {
  await writeSite('site: biscoe');
  await expect(readSiteFile(path)).resolves.toEqual({
    ...{ site: 'biscoe', ...ADDRESSES, identity: folder },
    computations: [],
    datasets: {},
    resources: {},
    logs: 'on-error',
    results: 'listed',
    ...MORE,
  });
});

test("a central host's file may be empty; its nodes' logs are not held back", async () => {
  await write('# nothing yet\n');
  await expect(readComputationsFile(path)).resolves.toEqual({
    file: 'MUSTER_COMPUTATIONS',
    computations: [],
    resources: {},
    logs: 'stream',
    results: 'listed',
    datasets: {},
  });
});

test.each<[string, string, RegExp]>([
  ['no site', 'computations: []', /: \/site /],
  ['a reserved site id', 'site: central', /: \/site is a reserved name$/],
  ['an unknown key', 'site: a\ndataset: {}', /: \/ Unrecognized key: "dataset"$/],
  [
    'a wrong value deep inside',
    'site: a\nresources: { memory: lots }',
    /: \/resources\/memory a size is a whole number/,
  ],
  ['several mistakes', 'logs: all', /: \/site .*; \/logs /],
  [
    'a docker computation without an image',
    'site: a\ncomputations: [{ name: x, runtime: docker, folder: . }]',
    /: \/computations\/0 a docker computation names its image$/,
  ],
  [
    'a network of the site that Muster should bound',
    'site: a\ncontainers: { network: muster-bounded, reach: federation }',
    /: \/containers `network` and `reach: federation` exclude each other/,
  ],
  ['text that is no YAML', 'site: [a', /: .+/],
])('%s is told in one line, with the file and the place in it', async (_, text, words) => {
  await writeSite(text);
  const error: unknown = await readSiteFile(path).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(SettingsError);
  const { message } = error as SettingsError;
  expect(message.startsWith(`${path}: `)).toBe(true);
  expect(message).toMatch(words);
  expect(message).not.toContain('\n');
});

test.each<[string, RegExp]>([
  ['- a', /: \/ /],
  ['site: a\ngateway: g\napi: https://a', /: \/gateway must be host:port$/],
  ['site: a\ngateway: g:1\napi: http://a', /: \/api must be an address that begins with https:\/\//],
  ['site: a', /: \/gateway is not set: .*muster site join.*; \/api /],
])('%j is no site.yaml', async (text, words) => {
  await write(text);
  await expect(readSiteFile(path)).rejects.toThrow(words);
});

test('a file that cannot be read is told with its path', async () => {
  await expect(readSiteFile(folder)).rejects.toThrow(`${folder}: cannot be read (EISDIR)`);
  await rm(path, { force: true });
  await expect(readSiteFile(path)).rejects.toThrow(`${path}: there is no such file`);
});

test('an edited site.yaml counts for the next launch, without a restart', async () => {
  const stage = await Stage.open();
  try {
    const data = stage.path('data');
    const allowed = `computations: [{ name: example, runtime: process, folder: ${stage.path('computation')} }]`;
    const site = stage.site('a', { policy: () => readSiteFile(path) });
    const { kit } = await stage.publish(['a']);
    const fetch = () =>
      site.do('fetchRunKit', {
        ...stage.launch,
        site: stage.member('a'),
        computation: stage.nodeComputation(),
        kit: kit('a'),
      });
    await writeSite('site: a');
    await expect(failureOf(fetch())).resolves.toMatchObject({ type: 'ComputationNotAllowed' });
    await writeSite(`site: a\n${allowed}`);
    await expect(failureOf(fetch())).resolves.toMatchObject({ type: 'DataMissing' });
    await writeSite(`site: a\n${allowed}\ndatasets: { data: ${data} }`);
    await fetch();
    await writeSite('site: a\nlogs: everything');
    const failed = await failureOf(fetch());
    expect(failed).toMatchObject({ type: 'Internal', nonRetryable: false });
    expect(failed.message).toContain('/logs');
  } finally {
    await stage.close();
  }
});
