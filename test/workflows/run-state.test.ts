import fc from 'fast-check';
import {
  CENTRAL_NODE,
  NODE_STATES,
  RUN_STATES,
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type NodeError,
  type NodeState,
  type RunState,
} from '../../workflows/contract';
import {
  NODE_TRANSITIONS,
  RUN_TRANSITIONS,
  initialModel,
  primaryError,
  reduce,
  verdict,
  type Fact,
  type RunModel,
} from '../../workflows/run-state';
import { runInput } from '../support/run-input';

const LAUNCH = 'launch000001';
const OTHER_LAUNCH = 'launch000002';

function started(siteIds: readonly string[] = ['a', 'b']): RunModel {
  return reduce(initialModel('run-1', runInput(siteIds), 0), { type: 'launch', launchId: LAUNCH }, 0);
}
const learn = (model: RunModel, ...facts: Fact[]) =>
  facts.reduce((now, fact, at) => reduce(now, fact, at + 1), model);
const state = (node: string, to: NodeState, launchId = LAUNCH): Fact => ({
  type: 'status',
  status: { launchId, node, state: to },
});
const broke = (node: string, as: 'failed' | 'refused' | 'lost' = 'failed', launchId = LAUNCH): Fact => ({
  type: 'error',
  failed: {
    launchId,
    state: as,
    error: { node, phase: 'superviseNode', type: 'NodeExited', message: `${node} broke` },
  },
});
const stop: Fact = { type: 'stop', stop: { by: 'lead' } };
const stateOf = (model: RunModel, node: string) => model.nodes.get(node)?.state;

/** The ways of a run and of a node, written once more: the tables of the code are held against these. */
const RUN_PATHS: Record<RunState, string> = {
  provisioning: 'publishing stopping failed',
  publishing: 'launching stopping failed',
  launching: 'running stopping complete failed',
  running: 'stopping complete failed',
  stopping: 'stopped failed',
  complete: '',
  failed: '',
  stopped: '',
};
const NODE_PATHS: Record<NodeState, string> = {
  waiting: 'fetching launching running complete failed refused stopping stopped lost',
  fetching: 'launching running complete failed refused stopping stopped lost',
  launching: 'running complete failed refused stopping stopped lost',
  running: 'complete failed stopping stopped lost',
  stopping: 'complete failed refused stopped lost',
  complete: '',
  failed: '',
  refused: '',
  stopped: '',
  lost: '',
};

describe('transitions', () => {
  it.each(RUN_STATES)('a run that is %s goes only where the table says', (from) => {
    expect([...RUN_TRANSITIONS[from]].sort()).toEqual(RUN_PATHS[from].split(' ').filter(Boolean).sort());
  });

  it.each(NODE_STATES.flatMap((from) => NODE_STATES.map((to): [NodeState, NodeState] => [from, to])))(
    'a node that is %s and is said to be %s',
    (from, to) => {
      const before = withNodeState(from);
      const after = reduce(before, state('a', to), 9);
      const allowed = NODE_PATHS[from].split(' ').includes(to);
      expect(stateOf(after, 'a')).toBe(allowed ? to : from);
      expect(NODE_TRANSITIONS[from].includes(to)).toBe(allowed);
    },
  );

  function withNodeState(to: NodeState): RunModel {
    const model = started();
    const node = model.nodes.get('a')!;
    return { ...model, nodes: new Map(model.nodes).set('a', { ...node, state: to }) };
  }
});

describe('a run', () => {
  const up: Fact[] = [
    { type: 'phase', state: 'publishing' },
    { type: 'phase', state: 'launching' },
    { type: 'phase', state: 'running' },
  ];
  const policy = runInput(['a', 'b']).computation.failure;

  it('is complete when the central node and every site are', () => {
    const almost = learn(started(), ...up, state(CENTRAL_NODE, 'complete'), state('a', 'complete'));
    expect(verdict(almost, policy)).toEqual({ type: 'wait' });
    expect(verdict(learn(almost, state('b', 'complete')), policy)).toEqual({ type: 'complete' });
  });

  it.each(['failed', 'refused', 'lost'] as const)(
    'fails with a site that is %s, and names the site',
    (as) => {
      const model = learn(started(), ...up, broke('b', as));
      expect(verdict(model, policy)).toMatchObject({
        type: 'fail',
        error: { node: 'b', message: 'b broke' },
      });
    },
  );

  it('fails with its central node', () => {
    expect(verdict(learn(started(), ...up, broke(CENTRAL_NODE)), policy)).toMatchObject({
      type: 'fail',
      error: { node: CENTRAL_NODE },
    });
  });

  it('goes on without a failed site where the computation says so, as long as enough sites are left', () => {
    const tolerant = { onSiteFailure: 'continue', minSites: 2 } as const;
    const one = learn(started(['a', 'b', 'c']), ...up, broke('a'));
    expect(verdict(one, tolerant)).toEqual({ type: 'wait' });
    expect(verdict(learn(one, broke('b')), tolerant)).toMatchObject({ type: 'fail' });
    const rest = learn(one, state(CENTRAL_NODE, 'complete'), state('b', 'complete'), state('c', 'complete'));
    expect(verdict(rest, tolerant)).toEqual({ type: 'complete' });
  });

  it('is known by its earliest error, and by the site where a site and the central node fail at once', () => {
    expect(primaryError(learn(started(), ...up, broke('b'), broke(CENTRAL_NODE), broke('a')))?.node).toBe(
      'b',
    );
    const atOnce = reduce(reduce(started(), broke(CENTRAL_NODE), 5), broke('a'), 5);
    expect(primaryError(atOnce)?.node).toBe('a');
  });

  describe('that failed at several nodes is known by the cause', () => {
    const ended = (
      node: string,
      endedAt: number,
      {
        type = 'NodeExited',
        message = `${node} broke`,
        ...more
      }: {
        type?: string;
        message?: string;
        origin?: 'site' | 'central';
        scope?: string;
      } = {},
    ): Fact => ({
      type: 'error',
      failed: {
        launchId: LAUNCH,
        state: 'failed',
        error: { node, phase: 'superviseNode', type, message },
        endedAt,
        ...more,
      },
    });
    const cause = (...facts: Fact[]) => primaryError(learn(started(), ...up, ...facts));

    it('which is the node that ended first, whoever is heard first', () => {
      expect(cause(ended(CENTRAL_NODE, 20), ended('b', 10), ended('a', 30))?.node).toBe('b');
    });

    it('which is not the node that ended without results because it was told of the failure', () => {
      expect(cause(ended('a', 5, { type: 'OutputsMissing' }), ended('b', 10))?.node).toBe('b');
    });

    it('which is a site where the central node says so, although its own end came first', () => {
      const told = ended(CENTRAL_NODE, 5, { type: 'NodeError', origin: 'site' });
      expect(cause(told, ended('b', 10))?.node).toBe('b');
    });

    it('which is the site that only the central node noticed', () => {
      const noticed = ended(CENTRAL_NODE, 5, {
        type: 'NodeError',
        origin: 'site',
        message: 'ValueError at b: bad',
      });
      expect(cause(noticed)).toMatchObject({ node: 'b', message: 'ValueError at b: bad' });
    });

    it('which is the site that the error is about, whoever its log mentions', () => {
      const told = { type: 'NodeError', origin: 'site', message: 'ValueError\na and b are there' } as const;
      expect(cause(ended(CENTRAL_NODE, 5, { ...told, scope: 'b' }))?.node).toBe('b');
      expect(cause(ended(CENTRAL_NODE, 5, { ...told, scope: 'data' }))?.node).toBe(CENTRAL_NODE);
    });

    it.each(['ValueError at a and b', 'ValueError at another-b', 'ValueError'])(
      'which stays the central node where it names no one site: %s',
      (message) => {
        const told = ended(CENTRAL_NODE, 5, { type: 'NodeError', origin: 'site', message });
        expect(cause(told)?.node).toBe(CENTRAL_NODE);
      },
    );
  });

  it('that was stopped ends as stopped, also when a node then exits with an error', () => {
    const stopping = learn(started(), ...up, stop, { type: 'bringDown' });
    expect(stateOf(stopping, 'a')).toBe('stopping');
    const ended = learn(stopping, broke('a'), state('b', 'stopped'), { type: 'end', state: 'stopped' });
    expect(ended.run.state).toBe('stopped');
    expect(ended.run.error).toBeUndefined();
    expect(stateOf(ended, 'a')).toBe('failed');
  });

  it('drops what is said of another launch', () => {
    const model = learn(started(), ...up);
    for (const fact of [state('a', 'running', OTHER_LAUNCH), broke('a', 'failed', OTHER_LAUNCH)]) {
      expect(reduce(model, fact, 9)).toBe(model);
    }
    const staleStop: Fact = { type: 'stop', stop: { by: 'lead', launchId: OTHER_LAUNCH } };
    expect(reduce(model, staleStop, 9)).toBe(model);
  });

  describe('lets the node of a site begin anew', () => {
    const again = (node: string, launchId = OTHER_LAUNCH): Fact => ({
      type: 'retrySite',
      node,
      retry: { launchId, by: 'lead', at: 7 },
    });
    const failed = learn(started(), ...up, broke('a'));

    it.each(['waiting', 'running', 'failed', 'refused', 'stopped', 'lost'] as const)('that is %s', (from) => {
      const before = learn(started(), ...up, from === 'waiting' ? state('b', 'running') : endOf(from));
      expect(learn(before, again('a')).nodes.get('a')).toEqual({
        ...{ node: 'a', name: 'Site a', state: 'waiting', since: 1 },
        retry: { launchId: OTHER_LAUNCH, by: 'lead', at: 7 },
      });
    });

    it('which from then on hears of that launch alone', () => {
      const anew = learn(failed, again('a'));
      for (const late of [state('a', 'stopped'), broke('a')]) expect(reduce(anew, late, 9)).toBe(anew);
      expect(stateOf(learn(anew, state('a', 'running', OTHER_LAUNCH)), 'a')).toBe('running');
      expect(stateOf(learn(anew, state('b', 'running')), 'b')).toBe('running');
    });

    it.each<[string, RunModel]>([
      ['is not up yet', learn(started(), broke('a'))],
      ['is to be stopped', learn(failed, stop)],
      ['is being brought down', learn(failed, { type: 'bringDown' })],
      ['has no central node any more', learn(failed, state(CENTRAL_NODE, 'complete'))],
      ['has ended', learn(failed, { type: 'end', state: 'complete' })],
    ])('but not of a run that %s', (_, model) => {
      expect(reduce(model, again('a'), 9)).toBe(model);
    });

    it.each([CENTRAL_NODE, 'nobody'])('but not of %s', (node) => {
      expect(reduce(failed, again(node), 9)).toBe(failed);
    });

    it('but not of a site that is complete', () => {
      const complete = learn(started(), ...up, state('a', 'complete'));
      expect(reduce(complete, again('a'), 9)).toBe(complete);
    });

    const endOf = (as: 'running' | 'failed' | 'refused' | 'stopped' | 'lost') =>
      as === 'running' || as === 'stopped' ? state('a', as) : broke('a', as);
  });

  it('keeps what a late word adds: which container it was', () => {
    const late: Fact = {
      type: 'status',
      status: { launchId: LAUNCH, node: 'a', state: 'launching', containerId: 'c1' },
    };
    const model = learn(started(), state('a', 'running'), late);
    expect(model.nodes.get('a')).toMatchObject({ state: 'running', containerId: 'c1' });
  });

  it('forgets what needed attention once the node has moved on', () => {
    const attention = { node: 'a', phase: 'fetchRunKit', type: 'DataMissing', message: 'no folder' };
    const waiting = learn(started(), { type: 'status', status: { launchId: LAUNCH, node: 'a', attention } });
    expect(waiting.nodes.get('a')?.attention).toEqual(attention);
    expect(learn(waiting, state('a', 'launching')).nodes.get('a')?.attention).toBeUndefined();
  });

  it('forgets what needed attention when it is told that this is settled', () => {
    const about = (attention: NodeError | null): Fact => ({
      type: 'status',
      status: { launchId: LAUNCH, node: 'a', attention },
    });
    const away = { node: 'a', phase: 'running', type: 'SiteAway', message: 'not heard of' };
    const up = learn(started(), state('a', 'running'));
    const missed = learn(up, about(away));
    expect(missed.nodes.get('a')).toMatchObject({ state: 'running', attention: away });
    expect(learn(missed, about(null)).nodes.get('a')).toEqual(up.nodes.get('a'));
    expect(reduce(up, about(null), 9)).toBe(up);
  });

  it('complete without a site, names the site and why it was done without', () => {
    const ends: Fact[] = [state(CENTRAL_NODE, 'complete'), state('a', 'complete'), broke('b', 'lost')];
    const done = learn(
      started(),
      { type: 'phase', state: 'publishing' },
      { type: 'phase', state: 'launching' },
    );
    const complete = learn(done, { type: 'phase', state: 'running' }, ...ends, {
      type: 'end',
      state: 'complete',
    });
    expect(complete.run.without).toEqual([{ node: 'b', state: 'lost', why: 'b broke' }]);
  });
});

describe('whatever is learned, in whatever order', () => {
  const nodes = [CENTRAL_NODE, 'a', 'b', 'nobody'];
  const launch = fc.constantFrom(LAUNCH, LAUNCH, LAUNCH, OTHER_LAUNCH);
  const anyFact: fc.Arbitrary<Fact> = fc.oneof(
    fc.record({
      type: fc.constant('retrySite' as const),
      node: fc.constantFrom(...nodes),
      retry: fc.record({ launchId: launch, by: fc.constant('lead'), at: fc.constant(0) }),
    }),
    fc.record({
      type: fc.constant('phase' as const),
      state: fc.constantFrom('publishing', 'launching', 'running'),
    }),
    fc
      .tuple(fc.constantFrom(...nodes), fc.constantFrom(...NODE_STATES), launch)
      .map(([node, to, launchId]) => state(node, to, launchId)),
    fc
      .tuple(
        fc.constantFrom(...nodes),
        fc.constantFrom('failed' as const, 'refused' as const, 'lost' as const),
        launch,
      )
      .map(([node, as, launchId]) => broke(node, as, launchId)),
    fc.constant(stop),
    fc.constant<Fact>({ type: 'bringDown' }),
    fc
      .constantFrom('complete' as const, 'failed' as const, 'stopped' as const)
      .map((to): Fact => ({ type: 'end', state: to })),
    fc.constant<Fact>({
      type: 'runError',
      error: { node: CENTRAL_NODE, phase: 'provisionProject', type: 'ProvisionFailed', message: 'no' },
    }),
  );
  const facts = fc.array(anyFact, { maxLength: 40 });

  it('terminal states are final and every step is one of the table', () => {
    fc.assert(
      fc.property(facts, (all) => {
        let model = started();
        all.forEach((fact, at) => {
          const next = reduce(model, fact, at);
          expectStep(model.run.state, next.run.state, RUN_TRANSITIONS[model.run.state], TERMINAL_RUN_STATES);
          for (const [name, node] of model.nodes) {
            const after = next.nodes.get(name)!;
            if (fact.type === 'retrySite' && fact.node === name && next !== model) {
              expect(node.state).not.toBe('complete');
              expect(TERMINAL_RUN_STATES).not.toContain(next.run.state);
              expect(after).toMatchObject({ state: 'waiting', retry: fact.retry });
              continue;
            }
            expectStep(node.state, after.state, NODE_TRANSITIONS[node.state], TERMINAL_NODE_STATES);
            if (TERMINAL_NODE_STATES.includes(node.state)) expect(after).toEqual(node);
          }
          model = next;
        });
      }),
    );
  });

  it('also over retries: each launch begins anew, and hears only of itself', () => {
    const launches = ['launch000001', 'launch000002', 'launch000003'];
    const ofLaunch = fc
      .tuple(fc.constantFrom(...launches), anyFact)
      .map(([launchId, fact]) => withLaunch(fact, launchId));
    const retry = fc.constant('retry' as const);
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: ofLaunch }, { weight: 1, arbitrary: retry }), {
          maxLength: 80,
        }),
        (all) => {
          let current = 0;
          let model = started();
          all.forEach((fact, at) => {
            if (fact === 'retry') {
              if (current === launches.length - 1) return;
              current += 1;
              model = reduce(
                initialModel('run-1', runInput(['a', 'b']), at),
                { type: 'launch', launchId: launches[current]! },
                at,
              );
              expect([...model.nodes.values()].map((node) => node.state)).toEqual([
                'waiting',
                'waiting',
                'waiting',
              ]);
              expect(model.run.stop ?? model.run.error).toBeUndefined();
              return;
            }
            const next = reduce(model, fact, at);
            const saysLaunch = launchOf(fact);
            if (saysLaunch !== undefined && saysLaunch !== launches[current]) expect(next).toBe(model);
            expectStep(
              model.run.state,
              next.run.state,
              RUN_TRANSITIONS[model.run.state],
              TERMINAL_RUN_STATES,
            );
            if (TERMINAL_RUN_STATES.includes(model.run.state)) expect(next.run).toEqual(model.run);
            model = next;
          });
        },
      ),
    );
  });

  it('no node appears or disappears, and facts do not change the model they are applied to', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const model = started();
        const copy = structuredClone(model);
        const after = learn(model, ...all);
        expect([...after.nodes.keys()]).toEqual([CENTRAL_NODE, 'a', 'b']);
        expect(model).toEqual(copy);
      }),
    );
  });

  function withLaunch(fact: Fact, launchId: string): Fact {
    if (fact.type === 'status') return { ...fact, status: { ...fact.status, launchId } };
    if (fact.type === 'error') return { ...fact, failed: { ...fact.failed, launchId } };
    return fact.type === 'stop' ? { ...fact, stop: { ...fact.stop, launchId } } : fact;
  }

  function launchOf(fact: Fact): string | undefined {
    if (fact.type === 'status') return fact.status.launchId;
    if (fact.type === 'error') return fact.failed.launchId;
    return fact.type === 'stop' ? fact.stop.launchId : undefined;
  }

  function expectStep<S extends string>(from: S, to: S, allowed: readonly S[], terminal: readonly S[]): void {
    if (from === to) return;
    expect(terminal).not.toContain(from);
    expect(allowed).toContain(to);
  }
});
