import fc from 'fast-check';
import type { AbsentNode, ExitedNode } from '../../nodes/node-runtime';
import { judge, type NodeEnding } from '../../nodes/outcome';

const files = [{ name: 'stats.csv', size: 3 }];
const exited = (exitCode: number | undefined, outOfMemory = false): ExitedNode => ({
  state: 'exited',
  id: 'a1',
  exitCode,
  startedAt: 500,
  endedAt: 1000,
  outOfMemory,
});
const absent: AbsentNode = { state: 'absent' };
const marker = {
  origin: 'site' as const,
  stage: 'load',
  scope: 'biscoe',
  errorType: 'ValueError',
  message: 'bad column',
};

const ending = (seen: Partial<NodeEnding>): NodeEnding => ({
  condition: exited(0),
  files,
  missing: [],
  marker: undefined,
  logTail: '',
  logs: 'on-error',
  ...seen,
});

test('a node that exited with 0 and left its declared outputs has done its work', () => {
  expect(judge(ending({ logTail: 'hello' }))).toEqual({
    ok: true,
    outcome: { exitCode: 0, endedAt: 1000, outputs: files },
  });
});

test.each<[string, Partial<NodeEnding>, string, string, number | undefined]>([
  ['exited with 1', { condition: exited(1) }, 'NodeExited', 'The node exited with code 1.', 1],
  ['was killed', { condition: exited(137) }, 'NodeExited', 'The node exited with code 137 (SIGKILL).', 137],
  [
    'used too much memory',
    { condition: exited(137, true) },
    'NodeExited',
    'The node was killed for using more memory than its limit (exit code 137).',
    137,
  ],
  [
    'exited with 0 without an output',
    { missing: ['a.csv', '*.png'] },
    'OutputsMissing',
    'The node exited with code 0, but its output folder has no "a.csv", "*.png".',
    0,
  ],
  [
    'exited with 1 and without an output',
    { condition: exited(1), missing: ['a.csv'] },
    'NodeExited',
    'The node exited with code 1.',
    1,
  ],
  [
    'ended unseen',
    { condition: exited(undefined) },
    'NodeLost',
    'The node ended, and its exit code is not known.',
    undefined,
  ],
  [
    'vanished',
    { condition: absent },
    'NodeLost',
    'The node is gone, and how it ended is not known.',
    undefined,
  ],
  [
    'reported an error and exited with 1',
    { condition: exited(1), marker },
    'NodeError',
    'The computation reported (site, biscoe, load): ValueError: bad column',
    1,
  ],
  [
    'reported an error and exited with 0',
    { marker: { ...marker, origin: 'central' } },
    'NodeError',
    'The computation reported (central node, biscoe, load): ValueError: bad column',
    0,
  ],
  [
    'reported an error and vanished',
    {
      condition: absent,
      marker: {
        message: 'no luck',
        origin: undefined,
        stage: undefined,
        scope: undefined,
        errorType: undefined,
      },
    },
    'NodeError',
    'The computation reported (no stage given): no luck',
    undefined,
  ],
])('a node that %s has failed', (_, seen, type, message, exitCode) => {
  expect(judge(ending(seen))).toEqual({
    ok: false,
    type,
    message,
    ...(exitCode !== undefined && { exitCode }),
    // The end is seen of whatever did not vanish, and the computation's own word on the cause is passed on.
    ...(seen.condition?.state !== 'absent' && { endedAt: 1000 }),
    ...(seen.marker?.origin && { origin: seen.marker.origin }),
    ...(seen.marker?.scope && { scope: seen.marker.scope }),
  });
});

test.each(['on-error', 'stream'] as const)('with the policy %s a failure quotes the log', (logs) => {
  const verdict = judge(
    ending({ condition: exited(1), logTail: 'one\n\u001b[31mtwo\u001b[0m\u0000\n', logs }),
  );
  expect(verdict).toMatchObject({
    message: 'The node exited with code 1.\nLast lines of its log:\none\ntwo',
  });
});

test('with the policy none no failure holds anything of the log', () => {
  const verdict = judge(ending({ condition: exited(1), logTail: 'patient 17', logs: 'none' }));
  expect(verdict).toMatchObject({ message: 'The node exited with code 1.' });
});

test('a message has at most 4000 characters, and of a long log it keeps the end', () => {
  const seen = fc.record({
    condition: fc.constantFrom(exited(1), exited(0), exited(undefined), absent),
    missing: fc.array(fc.string({ maxLength: 3000 }), { minLength: 1 }),
    marker: fc.option(
      fc.string({ maxLength: 3000 }).map((message) => ({ ...marker, message })),
      {
        nil: undefined,
      },
    ),
    logTail: fc.string({ maxLength: 9000 }).map((text) => `${text}the end`),
    logs: fc.constantFrom('on-error' as const, 'stream' as const),
  });
  fc.assert(
    fc.property(seen, (some) => {
      const verdict = judge(ending(some));
      const message = verdict.ok ? '' : verdict.message;
      expect(message.length).toBeLessThanOrEqual(4000);
      expect(message.endsWith('the end')).toBe(true);
    }),
  );
});
