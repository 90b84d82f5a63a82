import type { RunDetail, RunEvent } from '../../workflows/api-contract';
import { errorEntry, nodeView, runView } from '../support/run-pictures';
import { fromDetail, NODE_PHASES, RUN_PHASES, withEvent, type RunModel } from '../../web/model';
import { UnknownShape } from '../../web/api/errors';

const detail = (more: Partial<RunDetail> = {}): RunDetail => ({
  run: runView(),
  nodes: [nodeView('central'), nodeView('biscoe')],
  errors: [],
  attempts: [],
  lastEventId: 0,
  links: { page: '' },
  ...more,
});
const event = (type: RunEvent['type'], data: RunEvent['data']): RunEvent => ({
  id: 1,
  runId: 'penguins-1',
  at: 1,
  type,
  data,
});
const reached = (model: RunModel) => model.nodes.get('biscoe')?.reached;
const error = (phase: string) => ({ node: 'biscoe', phase, type: 'Internal', message: '' });

describe('how far a node came', () => {
  test.each(NODE_PHASES)('a node that is %s is there', (state) => {
    expect(reached(fromDetail(detail({ nodes: [nodeView('biscoe', { state })] })))).toBe(state);
  });

  test.each([
    ['an error while the kit was fetched', { error: error('fetchRunKit') }, 'fetching'],
    ['an error in the launch', { error: error('launchEdgeNode') }, 'launching'],
    ['an error while it ran', { error: error('superviseNode') }, 'running'],
    ['a container', { containerId: 'c0ffee' }, 'running'],
    ['a report of its own', { report: { phase: 'round' } }, 'running'],
    ['nothing', {}, 'waiting'],
  ])('one that has left the way is placed by %s', (_what, more, phase) => {
    for (const state of ['failed', 'refused', 'lost', 'stopping', 'stopped'] as const)
      expect(reached(fromDetail(detail({ nodes: [nodeView('biscoe', { state, ...more })] })))).toBe(phase);
  });

  test('one that was watched leaves the way where it was seen last', () => {
    const fetching = withEvent(
      fromDetail(detail()),
      event('node', nodeView('biscoe', { state: 'fetching' })),
    );
    const stopping = withEvent(fetching, event('node', nodeView('biscoe', { state: 'stopping' })));
    expect(reached(withEvent(stopping, event('node', nodeView('biscoe', { state: 'stopped' }))))).toBe(
      'fetching',
    );
  });

  test('a new launch begins at the beginning', () => {
    const failed = fromDetail(
      detail({ nodes: [nodeView('biscoe', { state: 'failed', containerId: 'c0ffee' })] }),
    );
    expect(reached(withEvent(failed, event('node', nodeView('biscoe'))))).toBe('waiting');
  });
});

describe('how far a run came', () => {
  const runError = (phase: string) => ({ node: 'central', phase, type: 'Internal', message: '' });
  test.each([
    ['provisionProject', 'provisioning'],
    ['publishRunKits', 'publishing'],
    ['launchCentralNode', 'launching'],
  ])('a failure in %s was while %s', (phase, expected) => {
    expect(fromDetail(detail({ run: runView({ state: 'failed', error: runError(phase) }) })).reached).toBe(
      expected,
    );
  });

  test('a run that ended after its nodes were up was running', () => {
    const nodes = [nodeView('biscoe', { state: 'stopped', containerId: 'c0ffee' })];
    expect(fromDetail(detail({ run: runView({ state: 'stopped' }), nodes })).reached).toBe('running');
  });

  test.each(RUN_PHASES)('a run that was seen %s stops there', (state) => {
    const model = fromDetail(detail({ run: runView({ state }) }));
    expect(withEvent(model, event('run', runView({ state: 'stopping' }))).reached).toBe(state);
  });
});

describe('events', () => {
  test('change what they are about, and only that', () => {
    const before = fromDetail(detail());
    const after = withEvent(before, event('node', nodeView('biscoe', { state: 'running' })));
    expect(after.nodes.get('biscoe')?.view.state).toBe('running');
    expect(after.nodes.get('central')).toBe(before.nodes.get('central'));
    expect(after.run).toBe(before.run);
  });

  test('an error that is seen again counts up; another one stands beside it', () => {
    const first = withEvent(
      fromDetail(detail()),
      event('error', errorEntry({ count: 1, firstAt: 5, lastAt: 5 })),
    );
    const again = withEvent(first, event('error', errorEntry({ count: 2, firstAt: 5, lastAt: 9 })));
    const other = withEvent(
      again,
      event('error', errorEntry({ type: 'ImageMissing', firstAt: 9, lastAt: 9 })),
    );
    expect([...other.errors.values()].map(({ type, count }) => [type, count])).toEqual([
      ['DataMissing', 2],
      ['ImageMissing', 1],
    ]);
  });

  test('that say something else than they claim are not drawn', () => {
    for (const type of ['run', 'node', 'error'] as const)
      expect(() => withEvent(fromDetail(detail()), event(type, { state: 'dancing' }))).toThrow(UnknownShape);
  });
});
