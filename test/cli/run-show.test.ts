import { describeRun } from '../../cli/run-show';
import type { RunDetail } from '../../workflows/api-contract';
import { nodeView, runView, START } from '../support/run-pictures';

const error = {
  node: 'dream',
  phase: 'superviseNode',
  type: 'NodeExited',
  message: 'exit code 1\nlast words',
};
const detail: RunDetail = {
  run: runView({ startedBy: 'ada', stop: { by: 'bob', at: START, reason: 'enough' } }),
  nodes: [
    nodeView('central', {
      ...{ state: 'running', runtime: 'docker', containerId: '0123456789abcdef' },
      report: { phase: 'round', detail: '3 of 10', progress: 0.3 },
    }),
    nodeView('dream', { state: 'failed', error }),
  ],
  errors: [],
  attempts: [
    {
      launchId: 'launch000001',
      how: 'start',
      by: 'ada',
      startedAt: START,
      state: 'failed',
      endedAt: START,
      error,
    },
    {
      launchId: 'launch000002',
      how: 'retry',
      by: 'bob',
      reason: 'again',
      startedAt: START,
      state: 'running',
    },
    { launchId: 'launch000003', how: 'temporal', by: 'Temporal', startedAt: START, state: 'running' },
    {
      ...{ launchId: 'launch000004', node: 'dream', how: 'retry', from: 'sites' },
      ...{ by: 'ada', startedAt: START, state: 'refused', endedAt: START },
    },
  ],
  lastEventId: 7,
  links: { page: 'http://x/runs/penguins-1' },
};

test('muster run show: the run, who asked for each attempt, and the nodes', () => {
  const at = new Date(START).toISOString();
  expect(describeRun(detail)).toEqual([
    `penguins-1  running since ${at}`,
    '  consortium   Penguins (penguins)',
    '  computation  penguins-regression 1.0.0',
    `  started      ${at} by ada`,
    `  stop         ${at} asked for by bob: enough`,
    '  page         http://x/runs/penguins-1',
    '',
    'ATTEMPT       OF     STATE    STARTED                   ENDED                     ASKED FOR BY',
    `launch000001  run    failed   ${at}  ${at}  ada -> dream: NodeExited: exit code 1 last words`,
    `launch000002  run    running  ${at}  -                         bob (retry from provision): again`,
    `launch000003  run    running  ${at}  -                         Temporal (reset or started)`,
    `launch000004  dream  refused  ${at}  ${at}  ada (retry from sites)`,
    '',
    'NODE     STATE    SINCE                     RUNS AS              SAYS',
    `central  running  ${at}  docker 0123456789ab  round 3 of 10 30 %`,
    `dream    failed   ${at}  -                    NodeExited: exit code 1 last words`,
  ]);
});
