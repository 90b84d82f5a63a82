import fc from 'fast-check';
import { createColors } from 'picocolors';
import {
  advance,
  describeChanges,
  describeError,
  drawBlock,
  formatElapsed,
  isOver,
  newErrors,
  NOTHING_YET,
  plain,
  type Progress,
} from '../../cli/progress';
import type { FollowedEvent } from '../../client';
import type { ErrorEntry } from '../../workflows/api-contract';
import type { NodeView, RunView } from '../../workflows/contract';
import { errorEntry, followed, nodeView, runView, START } from '../support/run-pictures';

const run = (state: RunView['state'], at: number) =>
  followed({ type: 'run', data: runView({ state, since: START + at }) });
const node = (name: string, state: NodeView['state'], at: number, more: Partial<NodeView> = {}) =>
  followed({ type: 'node', data: nodeView(name, { state, since: START + at, ...more }) });

/** Every line that plain output prints for `events`. */
function linesOf(events: FollowedEvent[]): string[] {
  let progress: Progress = NOTHING_YET;
  return events.flatMap((next) => {
    const before = progress;
    progress = advance(progress, next);
    return [...describeChanges(before, progress), ...newErrors(before, progress).map(describeError)];
  });
}
const after = (events: FollowedEvent[]) => events.reduce(advance, NOTHING_YET);
const style = { colors: createColors(false), width: 80, height: 24 };

test('plain lines: one per change, with the time since the start', () => {
  expect(
    linesOf([
      run('provisioning', 0),
      followed({ type: 'CentralClientStartRun', data: {} }),
      node('central', 'launching', 800),
      node('central', 'running', 1200, { runtime: 'process', containerId: '4711' }),
      node('biscoe', 'running', 2050, { runtime: 'docker', containerId: 'abcdef0123456789' }),
      node('biscoe', 'running', 2050, { report: { phase: 'round', detail: '3 of 10', progress: 0.3 } }),
      node('biscoe', 'running', 2050, { report: { phase: 'round', detail: '3 of 10', progress: 0.3 } }),
      run('complete', 3500),
    ]),
  ).toEqual([
    '[0.0 s] run provisioning',
    '[0.8 s] central launching',
    '[1.2 s] central running (process 4711)',
    '[2.0 s] biscoe running (docker abcdef012345)',
    'biscoe round 3 of 10 30 %',
    '[3.5 s] run complete',
  ]);
});

const connecting = { report: { phase: 'connecting' } };
const round = { report: { phase: 'round', progress: 0.5 } };
test.each<[string, FollowedEvent[], string[]]>([
  [
    'waits for the state',
    [
      node('dream', 'waiting', 0, connecting),
      node('dream', 'fetching', 100, connecting),
      node('dream', 'launching', 200, connecting),
      node('dream', 'running', 300, connecting),
    ],
    ['dream fetching', 'dream launching', 'dream running', 'dream connecting'],
  ],
  [
    'gives way to a later one while it waits',
    [
      node('dream', 'launching', 0, connecting),
      node('dream', 'launching', 0, round),
      node('dream', 'running', 100, round),
    ],
    ['dream launching', 'dream running', 'dream round 50 %'],
  ],
  [
    'is said once',
    [
      node('dream', 'running', 0, connecting),
      node('dream', 'stopping', 100, connecting),
      node('dream', 'stopped', 200, connecting),
    ],
    ['dream running', 'dream connecting', 'dream stopping', 'dream stopped'],
  ],
  [
    'is not lost with a node that ends at once',
    [node('dream', 'fetching', 0, connecting), node('dream', 'failed', 100, connecting)],
    ['dream fetching', 'dream failed', 'dream connecting'],
  ],
  [
    'is said again by the node of another launch',
    [
      node('dream', 'failed', 0, connecting),
      node('dream', 'waiting', 100),
      node('dream', 'running', 200, connecting),
    ],
    ['dream failed', 'dream connecting', 'dream waiting', 'dream running', 'dream connecting'],
  ],
])('plain lines: the own word of a node %s', (_case, events, lines) => {
  expect(linesOf(events)).toEqual(lines);
});

test('an error is said once, and again when it is no longer tried', () => {
  const failed = (data: ErrorEntry) => followed({ type: 'error', data });
  const retrying = errorEntry({ retrying: true });
  expect(
    linesOf([
      failed(retrying),
      failed({ ...retrying, count: 2 }),
      failed({ ...retrying, count: 3, retrying: false }),
    ]),
  ).toEqual([
    'biscoe: DataMissing (launchEdgeNode, trying again): no folder /data/b. Map the dataset.',
    'biscoe: DataMissing (launchEdgeNode): no folder /data/b. Map the dataset.',
  ]);
});

test('the moment a node came up is the first one at which it ran', () => {
  const { upAt } = after([
    node('central', 'launching', 100),
    node('central', 'running', 200),
    node('central', 'complete', 900),
    node('biscoe', 'complete', 700),
    node('dream', 'failed', 300),
  ]);
  expect(upAt).toEqual({ central: START + 200, biscoe: START + 700 });
});

test.each<[RunView['state'], boolean]>([
  ['running', false],
  ['stopping', false],
  ['complete', true],
  ['failed', true],
  ['stopped', true],
])('a run that is %s is over: %s', (state, over) => {
  expect(isOver(after([run(state, 1)]))).toBe(over);
});

test('the block shows every node with its state, time and what it says', () => {
  const progress = after([
    run('running', 1000),
    node('central', 'running', 1000),
    node('biscoe', 'running', 2000, { report: { phase: 'round', detail: '1 of 2', progress: 0.5 } }),
    node('dream', 'launching', 2000, {
      attention: { node: 'dream', phase: 'launchEdgeNode', type: 'DataMissing', message: 'no folder' },
    }),
    node('torgersen', 'complete', 2500),
  ]);
  expect(drawBlock(progress, START + 5000, style)).toEqual([
    'run penguins-1: running, 5.0 s',
    '  ● central    ●━●━●━◉─○  running      4.0 s',
    '  ● biscoe     ●━●━●━◉─○  running      3.0 s  round 1 of 2 50 %',
    '  ↑ dream      ●━●━◉─○─○  launching    3.0 s  DataMissing: no folder',
    '  ✔ torgersen  ●━●━●━●━●  complete',
  ]);
});

test('more nodes than the terminal has lines are counted', () => {
  const progress = after(Array.from({ length: 30 }, (_, i) => node(`site-${i}`, 'waiting', 0)));
  const lines = drawBlock(progress, START, { ...style, height: 10 });
  expect(lines).toHaveLength(10);
  expect(lines.at(-1)).toBe('  … and 22 more');
  expect(drawBlock(progress, START, { ...style, height: 31 })).toHaveLength(31);
});

test("a finished run's clock stands still", () => {
  const progress = after([run('complete', 1500)]);
  expect(drawBlock(progress, START + 99_000, style)).toEqual(['run penguins-1: complete, 1.5 s']);
});

test('whatever a node says, a line of the block stays one line and fits', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
      fc.integer({ min: 10, max: 120 }),
      (text, width) => {
        const message = text.slice(0, 300);
        const progress = after([
          node('biscoe', 'running', 0, {
            attention: { node: 'biscoe', phase: 'x', type: 'NodeError', message },
          }),
        ]);
        for (const line of drawBlock(progress, START, { ...style, width })) {
          expect(Array.from(line).length).toBeLessThanOrEqual(width);
          expect(line).toBe(line.replace(/[\r\n\u001b]/g, ''));
        }
      },
    ),
  );
});

test.each([
  [-5, '0.0 s'],
  [449, '0.4 s'],
  [59_999, '59.9 s'],
  [60_000, '1 min 00 s'],
  [125_000, '2 min 05 s'],
  [3_720_000, '1 h 02 min'],
])('%i ms read %s', (ms, words) => {
  expect(formatElapsed(ms)).toBe(words);
});

test('terminal codes in a text from a node do not reach the terminal', () => {
  expect(plain('a\u001b[2Jb\r\n\tc ')).toBe('a [2Jb c');
});
