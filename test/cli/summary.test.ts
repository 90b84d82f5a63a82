import { summarize, summaryLines } from '../../cli/summary';
import { errorEntry, nodeView, runView, START } from '../support/run-pictures';

const results = {
  central: '/out/central',
  sites: { biscoe: '/out/sites/biscoe', dream: '/out/sites/dream' },
};

test('a complete run: times from its start, folders of its launch, no errors', () => {
  const run = runView({ state: 'complete', since: START + 4321 });
  const upAt = { central: START + 1200, biscoe: START + 2000, dream: START + 2345 };
  expect(summarize({ run, nodes: [], errors: [], upAt }, results)).toEqual({
    runId: 'penguins-1',
    launchId: 'abcdefghijkl',
    status: 'complete',
    seconds: { toCentralUp: 1.2, toLastSiteUp: 2.345, total: 4.321 },
    outputs: {
      central: '/out/central/penguins-1/abcdefghijkl',
      sites: {
        biscoe: '/out/sites/biscoe/penguins-1/abcdefghijkl',
        dream: '/out/sites/dream/penguins-1/abcdefghijkl',
      },
    },
    errors: [],
  });
});

test('what a run did not reach is null', () => {
  const { launchId: _none, ...run } = runView({ state: 'failed', since: START + 50 });
  const upAt = { biscoe: START + 1 };
  const { launchId, seconds, outputs } = summarize({ run, nodes: [], errors: [], upAt }, results)!;
  expect(launchId).toBeNull();
  expect(seconds).toEqual({ toCentralUp: null, toLastSiteUp: null, total: 0.05 });
  expect(outputs.central).toBe('/out/central');
});

test('every error is named once, by node, with the one that failed the run', () => {
  const error = { node: 'biscoe', phase: 'superviseNode', type: 'NodeExited', message: 'exit code 1' };
  const run = runView({
    state: 'failed',
    error: { ...error, node: 'central', type: 'RunFailed', message: 'biscoe failed' },
  });
  const { errors } = summarize(
    { run, nodes: [nodeView('biscoe', { state: 'failed', error })], errors: [errorEntry(error)], upAt: {} },
    results,
  )!;
  expect(errors).toEqual([
    { node: 'biscoe', type: 'NodeExited', message: 'exit code 1' },
    { node: 'central', type: 'RunFailed', message: 'biscoe failed' },
  ]);
});

test('a failure that was mended is no error of a complete run', () => {
  const run = runView({ state: 'complete' });
  expect(
    summarize({ run, nodes: [], errors: [errorEntry({ retrying: true })], upAt: {} }, results)?.errors,
  ).toEqual([]);
});

test('for a person: how it ended, what went wrong, where the results are', () => {
  expect(
    summaryLines({
      runId: 'penguins-1',
      launchId: 'abcdefghijkl',
      status: 'failed',
      seconds: { toCentralUp: 1.2, toLastSiteUp: null, total: 4.3 },
      outputs: { central: '/out/c', sites: { biscoe: '/out/b' } },
      errors: [{ node: 'biscoe', type: 'NodeExited', message: 'exit code 1\nTraceback' }],
    }),
  ).toEqual([
    'Run penguins-1 failed after 4.3 s, central node up after 1.2 s',
    '  biscoe: NodeExited: exit code 1',
    '    Traceback',
    'Results',
    '  central  /out/c',
    '  biscoe   /out/b',
  ]);
});
