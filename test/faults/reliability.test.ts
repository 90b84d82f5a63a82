import type { Outcome } from './experiments';
import { page } from './reliability-page';
import { renewed, type ReliabilityRecord } from './reliability-record';

const then = { on: '2026-01-01', commit: 'aaaaaaa' };
const now = { on: '2026-02-02', commit: 'bbbbbbb' };
const outcome = (part: Outcome['part'], fault: Outcome['fault'], secondsToEnd: number): Outcome => ({
  ...{ part, fault, secondsToEnd },
  ...{ seconds: 1, failed: [], wrong: [] },
});
const nothing: ReliabilityRecord = { matrix: [], network: [], absent: {} };
const whole = renewed(
  nothing,
  {
    matrix: [outcome('api', 'kill', 3), outcome('api', 'term', 4), outcome('temporal', 'kill', 5)],
    random: { seed: 1, runs: 2, seconds: 3, kills: { api: 4 }, states: { complete: 2 }, wrong: [] },
    network: [{ what: 'slow', seconds: 6, wrong: [] }],
    absent: { docker: 'no engine answers' },
  },
  then,
);

it('a part of the experiments that is done anew takes the place of what was there of it, and of nothing else', () => {
  const record = renewed(
    whole,
    { matrix: [outcome('api', 'kill', 30), outcome('gateway', 'kill', 7)], network: [], absent: {} },
    now,
  );
  const seen = record.matrix.map(({ part, fault, secondsToEnd, measured }) =>
    [part, fault, secondsToEnd, measured.commit].join(' '),
  );
  expect(seen).toEqual([
    ...['api kill 30 bbbbbbb', 'api term 4 aaaaaaa'],
    ...['gateway kill 7 bbbbbbb', 'temporal kill 5 aaaaaaa'],
  ]);
  expect(record).toMatchObject({ random: whole.random, network: whole.network, absent: whole.absent });
  const text = page(record);
  expect(text).toContain(
    '| site gateway | complete, 7 s | not done | not done | not done | 2026-02-02, bbbbbbb |',
  );
  expect(text).toContain('2026-02-02, bbbbbbb; 2026-01-01, aaaaaaa');
  expect(text).toContain('container engine of all hosts (`live-restore`): no engine answers.');
});

it('a part that could not be had is there once it was measured', () => {
  const record = renewed(whole, { matrix: [outcome('docker', 'kill', 1)], network: [], absent: {} }, now);
  expect(record.absent).toEqual({});
});
