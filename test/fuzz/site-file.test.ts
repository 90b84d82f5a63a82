/** Whatever is in site.yaml, there are rules, or one clear line that says why not. */
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { decide } from '../../activities/edge/site-rules';
import { readSiteFile, siteRules } from '../../workers/policy-files';
import { SettingsError } from '../../workers/settings';
import { useFolder } from '../support/folder';
import { fuzz } from './fuzz';
import { BOMBS, textsLike } from './yaml-texts';

const folder = useFolder();
const FILE = '/etc/muster/site.yaml';
const KEYS = [
  ...['site', 'computations', 'datasets', 'resources', 'logs', 'results', 'consortia', 'approval'],
  ...['maintenance', 'quietHours', 'containers'],
];
/** How the site reaches the centre is not what is tried here. */
const JOINED = { gateway: 'gateway.example.org:7410', api: 'https://sites.example.org:7443' };
const GOOD = {
  ...{ ...JOINED, site: 'a', reports: 'https://muster.example.org', consortia: ['palmer'], approval: 'ask' },
  computations: [{ name: 'penguins', versions: ['1.0.0'], digest: `sha256:${'9f'.repeat(32)}` }],
  datasets: { penguins: '/data/penguins', birds: 'birds' },
  maintenance: { reason: 'new disks', until: '2026-11-30T06:00:00Z' },
  quietHours: [{ days: ['mon', 'sun'], from: '22:00', to: '06:00', timezone: 'Europe/Berlin' }],
  resources: { cpus: 4, memory: '8Gi', pids: 512 },
  ...{ containers: { readOnlyRoot: true }, logs: 'none', results: 'hidden' },
};

test('the good one is', () => expect(complaintAbout(stringify(GOOD))).toBeUndefined());

const request = {
  ...{ runId: 'run', site: 'a', dataset: 'd' },
  computation: { name: 'a', version: '1', command: ['x'] },
};

/** The message, if there are no rules. */
function complaintAbout(text: string): string | undefined {
  try {
    const rules = siteRules(FILE, text);
    expect(['accept', 'wait', 'refuse']).toContain(decide(rules, request, 0).type);
    return undefined;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.message;
  }
}

function mustBeClear(message: string | undefined): void {
  if (message === undefined) return;
  expect(message.startsWith(`${FILE}: `)).toBe(true);
  expect(message.length).toBeLessThan(600);
  // No stack, and nothing that only a programmer could read.
  expect(message).not.toMatch(/\n|\bat .*\(.*:\d+:\d+\)|TypeError|call stack|undefined is not/);
}

fuzz('a site.yaml', textsLike(KEYS, GOOD), (text) => mustBeClear(complaintAbout(text)));

const draft = fc.record(
  {
    site: fc.constantFrom('a', 'hospital-b'),
    consortia: fc.array(fc.constantFrom('x', 'y')),
    approval: fc.constantFrom('auto', 'ask', 'page'),
    maintenance: fc.record({ reason: fc.string({ minLength: 1, maxLength: 50 }) }),
    datasets: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 8 }),
      fc.string({ minLength: 1, maxLength: 8 }),
    ),
    logs: fc.constantFrom('none', 'on-error', 'stream'),
    resources: fc.record({ cpus: fc.integer({ min: 1, max: 64 }) }),
  },
  { requiredKeys: ['site'] },
);

test('what is valid is read as it was written, also in names that objects have anyway', () => {
  fc.assert(
    fc.property(draft, (draft) => {
      const { datasets = {}, ...rest } = draft;
      const rules = siteRules(FILE, JSON.stringify({ ...JOINED, ...draft }));
      expect(rules).toMatchObject(rest);
      // The one name that no object can be asked about.
      const names = Object.keys(datasets).filter((name) => name !== '__proto__');
      expect(Object.keys(rules.datasets).sort()).toEqual(names.sort());
    }),
  );
});

test.each(BOMBS)('%s', (_, text) => {
  mustBeClear(complaintAbout(text));
  mustBeClear(complaintAbout(`site: a\ndatasets:\n${text.replace(/^/gm, '  ')}`));
});

test('a file that has no end is read as far as it matters', async () => {
  await expect(readSiteFile('/dev/zero')).rejects.toThrow('/dev/zero: it is longer than 256 KiB');
  const path = join(folder, 'site.yaml');
  await writeFile(path, Buffer.concat([Buffer.from('site: a\n#'), Buffer.alloc(300_000, 120)]));
  await expect(readSiteFile(path)).rejects.toThrow('it is longer than 256 KiB');
});
