import fc from 'fast-check';
import type { ErrorEntry } from '../../workflows/api-contract';
import { NODE_STATES, type NodeState, type NodeView, type RunView } from '../../workflows/contract';
import { errorEntry, nodeView, runView, START } from '../support/run-pictures';
import { fromDetail } from '../../web/model';
import { mayStop, percent, picture, type Picture } from '../../web/picture';
import * as scenes from './scenes';

const draw = (run: Partial<RunView>, nodes: NodeView[], errors: ErrorEntry[] = []): Picture =>
  picture(
    fromDetail({ run: runView(run), nodes, errors, attempts: [], lastEventId: 0, links: { page: '' } }),
  );
const drawNode = (view: NodeView) => draw({}, [nodeView('central'), view]).sites[0]!;
const marks = (stations: { mark: string }[]) => stations.map(({ mark }) => mark).join(' ');

describe('a node', () => {
  test.each<[NodeState, string, string, boolean]>([
    ['waiting', 'idle', 'Waiting', false],
    ['fetching', 'active', 'Fetching kit', false],
    ['launching', 'active', 'Launching', false],
    ['running', 'active', 'Running', false],
    ['complete', 'good', 'Complete', true],
    ['failed', 'bad', 'Failed', true],
    ['refused', 'bad', 'Refused', true],
    ['stopping', 'halt', 'Stopping', false],
    ['stopped', 'halt', 'Stopped', true],
    ['lost', 'bad', 'Lost', true],
  ])('that is %s', (state, tone, label, ended) => {
    expect(drawNode(nodeView('biscoe', { state }))).toMatchObject({ sign: state, tone, label, ended });
  });

  test('is drawn where it is, with what it left behind and what is ahead', () => {
    expect(marks(drawNode(nodeView('biscoe', { state: 'launching' })).stations)).toBe(
      'passed passed here ahead ahead',
    );
  });

  test('central fetches nothing, so that station is not on its way', () => {
    const { central } = draw({}, [nodeView('central', { state: 'running' })]);
    expect(marks(central?.stations ?? [])).toBe('passed absent passed here ahead');
  });

  test('tells its progress in its own words while it runs, and only then', () => {
    const report = { phase: 'round', detail: '3 of 10', progress: 0.3 };
    expect(drawNode(nodeView('biscoe', { state: 'running', report }))).toMatchObject({
      note: 'round 3 of 10',
      progress: 0.3,
    });
    expect(drawNode(nodeView('biscoe', { state: 'failed', report }))).toMatchObject({
      note: undefined,
      progress: undefined,
    });
  });

  test('that is being retried asks for a look', () => {
    const attention = { node: 'biscoe', phase: 'launchEdgeNode', type: 'DataMissing', message: 'no folder' };
    const site = drawNode(nodeView('biscoe', { state: 'launching', attention }));
    expect(site).toMatchObject({ sign: 'retrying', tone: 'warn', label: 'Launching' });
    expect(site.spoken).toBe('biscoe: launching, being retried after DataMissing');
  });

  test('is on exactly one station, whatever its state', () => {
    const view = fc.record({
      state: fc.constantFrom(...NODE_STATES),
      node: fc.constantFrom('central', 'biscoe'),
    });
    fc.assert(
      fc.property(view, ({ state, node }) => {
        const drawn = draw({}, [nodeView(node, { state })]);
        const [only] = [...drawn.sites, drawn.central].filter((one) => one !== undefined);
        expect(marks(only?.stations ?? [])).toMatch(/^(passed |absent )*here( ahead| absent)*$/);
      }),
    );
  });

  test('no two states share a sign', () => {
    const signs = NODE_STATES.map((state) => drawNode(nodeView('biscoe', { state })).sign);
    expect(new Set(signs).size).toBe(NODE_STATES.length);
  });
});

test.each([
  [0, '0 %'],
  [0.3, '30 %'],
  [0.999, '99 %'],
  [1, '100 %'],
  [7, '100 %'],
])('a progress of %d reads %s', (part, text) => expect(percent(part)).toBe(text));

describe('many sites', () => {
  test('every site is counted once by state, and once more while it is being retried', () => {
    const site = fc.record({ state: fc.constantFrom(...NODE_STATES), tried: fc.boolean() });
    fc.assert(
      fc.property(fc.array(site, { maxLength: 60 }), (sites) => {
        const attention = { node: 'x', phase: 'p', type: 'DataMissing', message: '' };
        const views = sites.map(({ state, tried }, index) =>
          nodeView(`s${index}`, { state, ...(tried && { attention }) }),
        );
        const { tallies } = draw({}, [nodeView('central'), ...views]);
        const of = (retrying: boolean) => tallies.filter(({ sign }) => (sign === 'retrying') === retrying);
        expect(of(false).reduce((sum, { count }) => sum + count, 0)).toBe(sites.length);
        expect(of(true)[0]?.count ?? 0).toBe(sites.filter(({ tried }) => tried).length);
      }),
    );
  });

  test('what needs eyes comes first', () => {
    const [first, second, third] = picture(fromDetail(scenes.crowd(1000))).tallies.map(({ sign }) => sign);
    expect([first, second, third]).toEqual(['retrying', 'failed', 'lost']);
  });

  test('are counted at the phases of their way', () => {
    const { flow } = draw(
      {},
      ['waiting', 'running', 'running', 'failed'].map((state, i) =>
        nodeView(`s${i}`, { state: state as NodeState }),
      ),
    );
    expect(flow.map(({ count }) => count)).toEqual([1, 0, 0, 2, 0]);
  });
});

describe('a run', () => {
  test.each([
    ['provisioning', 'here ahead ahead ahead ahead'],
    ['running', 'passed passed passed here ahead'],
    ['complete', 'passed passed passed passed here'],
  ] as const)('that is %s', (state, expected) => {
    expect(marks(draw({ state }, []).step.steps)).toBe(expected);
  });

  test('that failed shows it at the station where it happened', () => {
    const { step, verdict } = picture(fromDetail(scenes.failed()));
    expect(step).toMatchObject({ state: 'failed', tone: 'bad', ended: true });
    expect(marks(step.steps)).toBe('passed passed passed here ahead');
    expect(verdict).toMatchObject({
      tone: 'bad',
      title: 'Biscoe: NodeExited while running',
      text: 'exit code 1',
      advice: "Read the node's last log lines.",
    });
  });

  test('that is being brought down without anyone having asked has failed', () => {
    expect(draw({ state: 'stopping' }, []).verdict?.title).toBe('The run has failed');
  });

  test('that waits for someone to mend something says so', () => {
    expect(picture(fromDetail(scenes.attention())).verdict).toMatchObject({
      title: '1 failure is being retried',
      advice: 'The site administrator maps the dataset to an existing folder in site.yaml.',
    });
  });

  test('can be stopped once, while it is under way', () => {
    const stop = { by: 'ada', at: START };
    expect(mayStop(draw({ state: 'launching' }, []))).toBe(true);
    expect(mayStop(draw({ state: 'running', stop }, []))).toBe(false);
    for (const state of ['stopping', 'stopped', 'failed', 'complete'] as const)
      expect(mayStop(draw({ state }, []))).toBe(false);
  });

  test('is spoken of in a sentence', () => {
    expect(picture(fromDetail(scenes.failed())).spoken).toBe('Run failed, 3 sites failed');
    expect(picture(fromDetail(scenes.stopping())).spoken).toBe('Run stopping, 2 sites confirmed');
  });
});

test('a stop tells who has confirmed it, who has not yet, and who did not', () => {
  const stop = { by: 'ada', reason: 'wrong data', at: START };
  const states = { central: 'stopping', a: 'stopped', b: 'complete', c: 'lost', d: 'failed' } as const;
  const nodes = Object.entries(states).map(([id, state]) => nodeView(id, { state }));
  expect(draw({ state: 'stopping', stop }, nodes).stop).toMatchObject({
    total: 5,
    confirmed: ['a', 'b', 'd'],
    outstanding: ['central'],
    unconfirmed: ['c'],
  });
});

describe('an error', () => {
  const attention = { node: 'biscoe', phase: 'launchEdgeNode', type: 'DataMissing', message: '' };
  const later = START + 1_000;
  test.each<[string, Partial<ErrorEntry>, Partial<NodeView>, string]>([
    ['that ended its node', { retrying: false }, { state: 'failed' }, 'final'],
    ['that is tried again', { retrying: true }, { state: 'launching', attention }, 'retrying'],
    ['whose node says nothing about it yet', { retrying: true }, { state: 'launching' }, 'retrying'],
    ['whose node has gone on since', { retrying: true }, { state: 'running', since: later }, 'past'],
    ['whose node has failed since', { retrying: true }, { state: 'failed', since: later }, 'final'],
    ['of an earlier launch', { retrying: false, launchId: 'earlier00000' }, { state: 'running' }, 'past'],
  ])('%s', (_what, entry, view, standing) => {
    const { errors } = draw({}, [nodeView('biscoe', view)], [errorEntry(entry)]);
    expect(errors.map((group) => group.standing)).toEqual([standing]);
  });

  test('of the run itself is past when the run has gone on', () => {
    const entry = errorEntry({
      node: 'provision',
      phase: 'provisionProject',
      type: 'EngineUnavailable',
      retrying: true,
    });
    expect(draw({ since: START }, [], [entry]).errors[0]?.standing).toBe('retrying');
    expect(draw({ since: later }, [], [entry]).errors[0]?.standing).toBe('past');
  });

  test('is told once for all the nodes that have it, those to mend first', () => {
    const nodes = ['biscoe', 'dream', 'torgersen'].map((id) => nodeView(id, { state: 'launching' }));
    const { errors } = draw({}, nodes, [
      errorEntry({ node: 'torgersen', type: 'NodeExited', firstAt: START - 9 }),
      errorEntry({ node: 'dream', retrying: true, firstAt: START + 2 }),
      errorEntry({ node: 'biscoe', retrying: true, firstAt: START + 1 }),
    ]);
    expect(errors.map(({ type, members }) => [type, members.map(({ name }) => name)])).toEqual([
      ['DataMissing', ['biscoe', 'dream']],
      ['NodeExited', ['torgersen']],
    ]);
  });
});
