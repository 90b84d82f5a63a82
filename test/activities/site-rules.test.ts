/** What a site decides about a run that it knows nothing of but what it asks for. */
import fc from 'fast-check';
import {
  decide,
  inWords,
  type Decision,
  type PersonsAnswer,
  type RunRequest,
  type SiteRules,
} from '../../activities/edge/site-rules';

const D1 = `sha256:${'1'.repeat(64)}`;
const D2 = `sha256:${'2'.repeat(64)}`;
const NOW = Date.parse('2026-11-23T12:00:00Z');

const request: RunRequest = {
  runId: 'run-1',
  site: 'a',
  consortium: { id: 'palmer', name: 'Palmer' },
  computation: { name: 'penguins', version: '1.0.0', image: `registry/penguins@${D1}`, command: ['edge'] },
  dataset: 'penguins',
};
const rules: SiteRules = {
  file: 'site.yaml',
  site: 'a',
  computations: [{ name: 'penguins', runtime: 'docker', image: 'registry/penguins:1' }],
  resources: {},
  logs: 'none',
  results: 'hidden',
  datasets: {},
  approval: 'auto',
  quietHours: [],
};
const entry = { name: 'penguins', runtime: 'docker' } as const;
const night = { from: '11:00', to: '13:00', timezone: 'UTC' };
const yes: PersonsAnswer = { verdict: 'approved', by: 'ada' };
const no: PersonsAnswer = { verdict: 'refused', by: 'ada', why: 'not before the vote' };
const say = (decision: Decision) =>
  decision.type === 'accept' ? 'accept' : `${decision.type} ${inWords(decision)}`;

test.each<[string, Partial<SiteRules>, Partial<RunRequest>, PersonsAnswer | undefined, string]>([
  ['what the file allows', {}, {}, undefined, 'accept'],
  ['another site', {}, { site: 'b' }, undefined, 'refuse site.yaml: site: this is a, and the run asks for b'],
  ['a consortium that is listed', { consortia: ['ross', 'palmer'] }, {}, undefined, 'accept'],
  [
    'a consortium that is not listed',
    { consortia: ['ross'] },
    {},
    undefined,
    'refuse site.yaml: consortia: consortium palmer is not allowed here; allowed: ross',
  ],
  [
    'any consortium where none is listed',
    { consortia: [] },
    {},
    undefined,
    'refuse site.yaml: consortia: consortium palmer is not allowed here; allowed: none',
  ],
  [
    'a computation that is not named',
    { computations: [{ ...entry, name: 'other', image: 'i' }] },
    {},
    undefined,
    'refuse site.yaml: computations: computation "penguins" is not allowed here',
  ],
  [
    'a version that is named',
    { computations: [{ ...entry, image: 'i', versions: ['1.0.0'] }] },
    {},
    undefined,
    'accept',
  ],
  [
    'a version that is not named',
    { computations: [{ ...entry, image: 'i', versions: ['1.1.0', '2'] }] },
    {},
    undefined,
    'refuse site.yaml: computations: version 1.0.0 of "penguins" is not allowed here; allowed: 1.1.0, 2',
  ],
  ['the very digest', { computations: [{ ...entry, digest: D1 }] }, {}, undefined, 'accept'],
  [
    'one of two digests',
    {
      computations: [
        { ...entry, digest: D2 },
        { ...entry, digest: D1 },
      ],
    },
    {},
    undefined,
    'accept',
  ],
  [
    'another digest, whatever the image is called',
    { computations: [{ ...entry, image: 'registry/penguins:1', digest: D2 }] },
    {},
    undefined,
    `refuse site.yaml: computations: the run asks for image registry/penguins@${D1} of "penguins"; allowed here: ${D2}`,
  ],
  [
    'an image without a digest',
    { computations: [{ ...entry, digest: D1 }] },
    { computation: { ...request.computation, image: `x:${D1.slice(7)}` } },
    undefined,
    `refuse site.yaml: computations: the run asks for image x:${D1.slice(7)} of "penguins"; allowed here: ${D1}`,
  ],
  [
    'what nobody has approved',
    { approval: 'ask' },
    {},
    undefined,
    'wait site.yaml: approval: a person at the site has to approve this run',
  ],
  ['what a person approved', { approval: 'ask' }, {}, yes, 'accept'],
  [
    'what a person refused',
    { approval: 'ask' },
    {},
    no,
    'refuse site.yaml: approval: ada refused this run: not before the vote',
  ],
  [
    'what nobody has approved, at the site or on the page',
    { approval: 'page' },
    {},
    undefined,
    'wait site.yaml: approval: a person who administers the site has to approve this run',
  ],
  ['what a person approved at the site, where the page may too', { approval: 'page' }, {}, yes, 'accept'],
  ['what a person approved on the page', { approval: 'page' }, {}, { ...yes, via: 'page' }, 'accept'],
  [
    'what a person refused on the page',
    { approval: 'page' },
    {},
    { ...no, via: 'page' },
    'refuse site.yaml: approval: ada (on the page) refused this run: not before the vote',
  ],
  [
    'what was approved on the page, where the page may not any more',
    { approval: 'ask' },
    {},
    { ...yes, via: 'page' },
    'wait site.yaml: approval: a person at the site has to approve this run',
  ],
  [
    'what was refused on the page, where the page may not any more',
    { approval: 'ask' },
    {},
    { ...no, via: 'page' },
    'wait site.yaml: approval: a person at the site has to approve this run',
  ],
  [
    'what a person approved, and the file no longer allows',
    { approval: 'ask', computations: [] },
    {},
    yes,
    'refuse site.yaml: computations: computation "penguins" is not allowed here',
  ],
  [
    'maintenance',
    { maintenance: { reason: 'new disks' } },
    {},
    undefined,
    'wait site.yaml: maintenance: nothing starts here for now: new disks',
  ],
  [
    'maintenance with an end',
    { maintenance: { reason: 'new disks', until: '2026-11-23T13:00:00+00:30' } },
    {},
    undefined,
    'wait site.yaml: maintenance: nothing starts here for now: new disks; it goes on at 2026-11-23T12:30:00.000Z',
  ],
  [
    'maintenance that is over',
    { maintenance: { reason: 'x', until: '2026-11-23T12:00:00Z' } },
    {},
    undefined,
    'accept',
  ],
  [
    'quiet hours',
    { quietHours: [night] },
    {},
    undefined,
    'wait site.yaml: quietHours: nothing starts here in these hours; it goes on at 2026-11-23T13:00:00.000Z',
  ],
  [
    'a person is asked in quiet hours, too',
    { quietHours: [night], approval: 'ask' },
    {},
    undefined,
    'wait site.yaml: approval: a person at the site has to approve this run',
  ],
  [
    'quiet hours for what a person approved',
    { quietHours: [night], approval: 'ask' },
    {},
    yes,
    'wait site.yaml: quietHours: nothing starts here in these hours; it goes on at 2026-11-23T13:00:00.000Z',
  ],
])('%s', (_, some, asked, answer, expected) => {
  expect(say(decide({ ...rules, ...some }, { ...request, ...asked }, NOW, answer))).toBe(expected);
});

test('a run that does not say of which consortium it is, is not of one that is listed', () => {
  const { consortium: _unknown, ...unsaid } = request;
  expect(decide({ ...rules, consortia: ['palmer'] }, unsaid, NOW)).toMatchObject({ rule: 'consortia' });
  expect(decide(rules, unsaid, NOW)).toEqual({ type: 'accept' });
});

describe('whatever the rules', () => {
  const word = fc.constantFrom('a', 'b', 'penguins', 'palmer', '1.0.0', '', '__proto__', 'constructor');
  const someRules: fc.Arbitrary<SiteRules> = fc.record({
    file: fc.constant('site.yaml'),
    site: fc.constantFrom('a', 'b'),
    computations: fc.array(
      fc.record(
        {
          name: word,
          runtime: fc.constantFrom('docker' as const, 'process' as const, 'auto' as const),
          versions: fc.array(word),
          image: word,
          digest: fc.constantFrom(D1, D2),
        },
        { requiredKeys: ['name', 'runtime'] },
      ),
      { maxLength: 3 },
    ),
    resources: fc.constant({}),
    logs: fc.constant('none' as const),
    results: fc.constant('hidden' as const),
    datasets: fc.constant({}),
    consortia: fc.option(fc.array(word), { nil: undefined }),
    approval: fc.constantFrom('auto' as const, 'ask' as const, 'page' as const),
    maintenance: fc.option(fc.record({ reason: word }), { nil: undefined }),
    quietHours: fc.constantFrom([], [night]),
  });
  const someRequest = fc.record(
    {
      ...{ runId: word, site: fc.constantFrom('a', 'b'), dataset: word },
      consortium: fc.record({ id: word, name: word }),
      computation: fc.record(
        { name: word, version: word, image: fc.constantFrom(`x@${D1}`, D2, 'x:1'), command: fc.array(word) },
        { requiredKeys: ['name', 'version', 'command'] },
      ),
    },
    { requiredKeys: ['runId', 'site', 'dataset', 'computation'] },
  );
  const someAnswer = fc.constantFrom(
    ...[undefined, yes, no, { ...yes, via: 'page' as const }, { ...no, via: 'page' as const }],
  );
  const all = [someRules, someRequest, fc.integer({ min: 0, max: 4e12 }), someAnswer] as const;

  test('what is let in, every rule lets in', () => {
    fc.assert(
      fc.property(...all, (rules, request, now, answer) => {
        if (decide(rules, request, now, answer).type !== 'accept') return;
        expect(rules.site).toBe(request.site);
        if (rules.consortia) expect(rules.consortia).toContain(request.consortium?.id);
        const { name, version, image = '' } = request.computation;
        const fits = rules.computations.filter(
          (entry) =>
            entry.name === name &&
            (entry.versions?.includes(version) ?? true) &&
            (entry.digest === undefined || image.endsWith(entry.digest)),
        );
        expect(fits.length).toBeGreaterThan(0);
        if (rules.approval !== 'auto') expect(answer?.verdict).toBe('approved');
        if (answer?.via === 'page') expect(rules.approval).not.toBe('ask');
        expect(rules.maintenance).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test('taking a rule away never refuses what was let in', () => {
    fc.assert(
      fc.property(...all, (rules, request, now, answer) => {
        if (decide(rules, request, now, answer).type !== 'accept') return;
        const laxer = { ...rules, consortia: undefined, approval: 'auto' as const, quietHours: [] };
        expect(decide(laxer, request, now).type).toBe('accept');
      }),
      { numRuns: 1000 },
    );
  });

  test('only a person, and never the file, refuses for good', () => {
    fc.assert(
      fc.property(...all, (rules, request, now, answer) => {
        const decision = decide(rules, request, now, answer);
        if (decision.type === 'refuse') expect(decision.final).toBe(decision.rule === 'approval');
        if (decision.type !== 'accept') expect(inWords(decision)).toContain(`site.yaml: ${decision.rule}: `);
      }),
      { numRuns: 1000 },
    );
  });
});
