import fc from 'fast-check';
import {
  endedRun,
  errorIdentity,
  isNews,
  lostNodes,
  project,
  type Known,
  type Provenance,
} from '../../server/projection';
import type { StatusReportBody } from '../../workflows/api-contract';
import type { NodeState, NodeView, RunState, RunView } from '../../workflows/contract';
import { LAUNCH, nodeView, runView, statusReport } from './views';

interface Rows {
  run?: Known<RunView>;
  nodes: Map<string, Known<NodeView>>;
}

/** Takes reports in, one after the other, and keeps rows as the database would. */
function takeIn(reports: readonly StatusReportBody[]): Rows {
  const rows: Rows = { nodes: new Map() };
  for (const report of reports) {
    const { from, run, nodes } = project(report, rows.run, rows.nodes);
    if (run) rows.run = { ...from, view: run };
    for (const view of nodes) rows.nodes.set(view.node, { ...from, view });
  }
  return rows;
}

const states = ({ run, nodes }: Rows) => ({
  run: run?.view.state,
  ...Object.fromEntries([...nodes].map(([node, { view }]) => [node, view.state])),
});

describe('the order of reports', () => {
  const from = (more: Partial<Provenance> = {}): Provenance => ({
    ...{ launchId: LAUNCH, execution: 'first', reportedAt: 10, reportedSeq: 5 },
    ...more,
  });
  const known = (state: RunState): Known<RunView> => ({ ...from(), view: runView('a-run', state) });

  it.each<[string, RunState, Partial<Provenance>, RunState, boolean]>([
    ['a later moment', 'running', { reportedAt: 11, reportedSeq: 1 }, 'stopping', true],
    ['the same moment, a later number', 'running', { reportedSeq: 6 }, 'stopping', true],
    ['the same report again', 'running', {}, 'running', false],
    ['an earlier moment, a later number', 'running', { reportedAt: 9, reportedSeq: 6 }, 'launching', false],
    ['another state after the end', 'complete', { reportedAt: 11 }, 'running', false],
    ['more about the end', 'complete', { reportedAt: 11 }, 'complete', true],
    ['a new execution after the end', 'failed', { reportedAt: 11, execution: 'second' }, 'running', true],
    ['a new launch after the end', 'failed', { reportedAt: 11, launchId: 'launch000002' }, 'running', true],
    [
      'late words of the execution before a reset',
      'running',
      { reportedAt: 9, execution: 'old' },
      'failed',
      false,
    ],
  ])('%s', (_what, before, more, after, isIt) => {
    expect(isNews(known(before), from(more), after)).toBe(isIt);
  });

  it('is kept per row: an older report still brings the nodes that no newer one is about', () => {
    const older = statusReport(runView('a-run', 'launching'), [nodeView('alpha', 'running')], { at: 1 });
    const newer = statusReport(runView('a-run', 'running'), [nodeView('beta', 'running')], { at: 2 });
    expect(states(takeIn([newer, older]))).toEqual({ run: 'running', alpha: 'running', beta: 'running' });
  });

  const RUN_STORY: readonly RunState[] = [
    'provisioning',
    'publishing',
    'launching',
    'running',
    'stopping',
    'stopped',
  ];
  const NODE_STORY: readonly NodeState[] = [
    'waiting',
    'fetching',
    'launching',
    'running',
    'stopping',
    'stopped',
  ];

  it('does not matter: late, twice or out of order, the same reports tell the same', () => {
    const story = fc
      .array(fc.subarray(['central', 'alpha', 'beta']), { minLength: 1, maxLength: 6 })
      .map((changed) =>
        changed.map((nodes, index) =>
          statusReport(
            runView('a-run', RUN_STORY[index]!),
            nodes.map((node) => nodeView(node, NODE_STORY[index]!)),
            { at: Math.floor(index / 2), seq: index },
          ),
        ),
      );
    const mixedUp = story.chain((reports) =>
      fc.tuple(
        fc.constant(reports),
        fc.shuffledSubarray([...reports, ...reports], { minLength: reports.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(mixedUp, ([told, arrived]) => {
        expect(states(takeIn(arrived))).toEqual(states(takeIn(told)));
      }),
    );
  });
});

describe('what a report changes', () => {
  it('is told only where something reads differently', () => {
    const view = runView('a-run', 'running');
    const rows = takeIn([
      statusReport(view, [nodeView('alpha', 'running'), nodeView('beta', 'running')], { at: 1 }),
    ]);
    const next = statusReport(view, [nodeView('alpha', 'running'), nodeView('beta', 'complete')], { at: 2 });
    const { told } = project(next, rows.run, rows.nodes);
    expect(told).toEqual({ run: false, nodes: [nodeView('beta', 'complete')] });
  });

  it('holds a node once, as it was named last', () => {
    const twice = [nodeView('alpha', 'waiting'), nodeView('alpha', 'running')];
    const { nodes } = project(
      statusReport(runView('a-run', 'running'), twice, { at: 1 }),
      undefined,
      new Map(),
    );
    expect(nodes).toEqual([nodeView('alpha', 'running')]);
  });

  it('names the failures of the run and of its nodes', () => {
    const error = { node: 'alpha', phase: 'superviseNode', type: 'NodeExited', message: 'exit code 1' };
    const own = { node: 'central', phase: 'provisionProject', type: 'ProvisionFailed', message: 'no' };
    const report = statusReport(
      runView('a-run', 'failed', { error: own }),
      [nodeView('alpha', 'failed', { error }), nodeView('beta', 'stopped')],
      { at: 1 },
    );
    expect(project(report, undefined, new Map()).errors).toEqual([
      { launchId: LAUNCH, error: own },
      { launchId: LAUNCH, error },
    ]);
  });
});

describe('a run that ended without saying so', () => {
  it('has failed, for a reason that is attributed', () => {
    const ended = endedRun(runView('a-run', 'running'), { state: 'failed', at: 7, reason: 'terminated' });
    expect(ended).toMatchObject({
      ...{ state: 'failed', since: 7 },
      error: { node: 'central', phase: 'running', type: 'RunFailed', message: 'terminated' },
    });
  });

  it('leaves the nodes that had not ended lost, and the others as they were', () => {
    const attention = { node: 'beta', phase: 'x', type: 'DataMissing', message: 'no' };
    const views = [nodeView('alpha', 'complete'), nodeView('beta', 'fetching', { attention })];
    expect(lostNodes(views, 7)).toEqual([nodeView('beta', 'lost', { since: 7 })]);
  });
});

describe('a failure', () => {
  const error = { node: 'alpha', phase: 'fetchRunKit', type: 'DataMissing', message: 'no folder' };
  const identity = errorIdentity('a-run', LAUNCH, error);

  it('is the same when everything about it is', () => {
    expect(errorIdentity('a-run', LAUNCH, { ...error })).toBe(identity);
  });

  it.each(['node', 'phase', 'type', 'message'] as const)('is another one with another %s', (part) => {
    expect(errorIdentity('a-run', LAUNCH, { ...error, [part]: 'other' })).not.toBe(identity);
  });

  it('is another one in another run or launch', () => {
    expect(errorIdentity('b-run', LAUNCH, error)).not.toBe(identity);
    expect(errorIdentity('a-run', null, error)).not.toBe(identity);
  });
});
