import { choose, describeAll, describeAsks } from '../../cli/site-answers';
import { UsageError } from '../../cli/usage-error';
import type { Asked } from '../../activities/edge/approvals';

const AT = Date.UTC(2026, 10, 23, 8, 30);
const asked = (runId: string, code: string, more: Partial<Asked> = {}): Asked => ({
  request: {
    ...{ runId, site: 'a', dataset: 'penguins', consortium: { id: 'palmer', name: 'Pal\u001bmer' } },
    computation: { name: 'penguins', version: '1.0.0', image: 'i@sha256:1', command: ['node', 'edge.js'] },
  },
  grant: {
    resources: { cpus: 2, memory: '4Gi', pids: 512, shm: '256Mi', gpus: 0 },
    ...{ folder: '/data/penguins', logs: 'none', results: 'hidden' },
  },
  ...{ since: AT, lastAsked: AT, id: code.padEnd(64, '0') },
  ...more,
});
const approved = { verdict: 'approved', by: 'ada', at: AT } as const;

describe('muster site approvals', () => {
  test('says all that a person has to know to decide', () => {
    expect(describeAll([asked('run-1', '1a2b3c4d')], AT + 1000)).toEqual([
      'run-1  waits',
      '  request      1a2b3c4d',
      '  since        2026-11-23T08:30:00.000Z',
      '  consortium   palmer (Pal mer)',
      '  computation  penguins 1.0.0',
      '  image        i@sha256:1',
      '  command      node edge.js',
      '  data         penguins: /data/penguins, to read',
      '  gets         2 processors, 4Gi of memory, 512 processes',
      '  lets out     logs none; results hidden',
    ]);
  });

  test('tells a run that has not asked for long from one that waits', () => {
    const [heading] = describeAll([asked('run-1', '1a')], AT + 3_600_000);
    expect(heading).toBe('run-1  asked, last at 2026-11-23T08:30:00.000Z');
  });

  test('says so when nothing waits', () => {
    expect(describeAll([], AT)).toEqual(['Nothing waits for approval.']);
  });
});

describe('muster site approvals --site', () => {
  const ask = {
    ...{ id: '1a2b3c4d'.padEnd(64, '0'), runId: 'run-1', since: AT, dataset: 'penguins' },
    consortium: { id: 'palmer', name: 'Palmer' },
    computation: { name: 'penguins', version: '1.0.0', image: 'i@sha256:1', command: ['node', 'edge.js'] },
    gets: '2 processors; logs none leave',
  };

  test('says what the site has told of it', () => {
    expect(describeAsks([ask])).toEqual([
      'run-1  waits',
      '  request      1a2b3c4d',
      '  since        2026-11-23T08:30:00.000Z',
      '  consortium   palmer (Palmer)',
      '  computation  penguins 1.0.0',
      '  image        i@sha256:1',
      '  command      node edge.js',
      '  data         penguins',
      '  gets         2 processors; logs none leave',
    ]);
  });

  test('says who has answered', () => {
    const lines = describeAsks([
      { ...ask, answer: { verdict: 'refused', why: 'not now', by: 'ada', at: AT } },
    ]);
    expect(lines[0]).toBe('run-1  refused, not taken yet');
    expect(lines.at(-1)).toBe(
      '  answer       refused by ada (on the page), 2026-11-23T08:30:00.000Z: not now',
    );
  });
});

describe('which request is meant', () => {
  const [one, other, old] = [
    asked('run-1', '11'),
    asked('run-1', '22'),
    asked('run-1', '33', { answer: approved }),
  ];

  test('is clear where a run has made one, or one that is not answered', () => {
    expect(choose([asked('run-2', '44'), one], 'run-1', undefined)).toBe(one);
    expect(choose([old, one], 'run-1', undefined)).toBe(one);
    expect(choose([old], 'run-1', undefined)).toBe(old);
  });

  test('has to be said where it has made several, so that nobody approves what came after they looked', () => {
    expect(() => choose([one, other], 'run-1', undefined)).toThrow(UsageError);
    expect(() => choose([one, other], 'run-1', undefined)).toThrow('(11000000, 22000000)');
    expect(choose([one, other, old], 'run-1', '22000000')).toBe(other);
  });

  test.each([
    ['run-3', undefined, 'No run run-3 has asked here'],
    ['run-1', '99', 'No request 99 of run run-1 was made here'],
  ])('is not that of %s, %s', (run, code, words) => {
    expect(() => choose([one], run, code)).toThrow(words);
  });
});
