/** How a site comes into a consortium and out of it. */
import fc from 'fast-check';
import { isOpen, take, withMembership, type Step } from '../../server/consortia/membership';
import { HttpProblem } from '../../server/problem';
import type { Membership, MembershipState } from '../../workflows/consortium-contract';

const WHO = { by: 'somebody', at: 2 };
const STATES: readonly MembershipState[] = ['invited', 'accepted', 'declined', 'left', 'removed'];
const STEPS: readonly Step[] = [
  { type: 'invite' },
  { type: 'accept', dataset: 'birds' },
  { type: 'decline', reason: 'not now' },
  { type: 'leave' },
  { type: 'remove' },
];

const member = (state: MembershipState, more: Partial<Membership> = {}): Membership => ({
  ...{ siteId: 'alpha', name: 'Alpha', state, invitedBy: 'a lead', invitedAt: 1 },
  ...(state === 'accepted' && { dataset: 'birds', answeredBy: 'their admin', answeredAt: 1 }),
  ...more,
});

/** What becomes of the state, or the type of the problem. */
function outcome(before: MembershipState | undefined, step: Step): string {
  try {
    return take(before && member(before), 'alpha', step, WHO).state;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return error.body.type.replace('urn:muster:problem:', '');
  }
}

describe('a step', () => {
  const no = 'membership-impossible';
  const unknown = 'unknown-membership';
  it.each<[MembershipState | undefined, ...string[]]>([
    //           invite     accept      decline     leave       remove
    [undefined, 'invited', unknown, unknown, unknown, unknown],
    ['invited', 'invited', 'accepted', 'declined', 'declined', 'removed'],
    ['accepted', no, 'accepted', no, 'left', 'removed'],
    ['declined', 'invited', unknown, 'declined', 'declined', 'declined'],
    ['left', 'invited', unknown, unknown, 'left', 'left'],
    ['removed', 'invited', unknown, unknown, 'removed', 'removed'],
  ])('from %s leads to what is in the table', (before, ...expected) => {
    expect(STEPS.map((step) => outcome(before, step))).toEqual(expected);
  });

  it('that was taken already changes nothing, and says no later time', () => {
    for (const step of STEPS) {
      for (const before of STATES) {
        if (outcome(before, step) !== before) continue;
        const same = member(before);
        expect(take(same, 'alpha', step, WHO)).toBe(same);
      }
    }
  });

  it('keeps who invited, and says who answered', () => {
    expect(take(member('invited'), 'alpha', { type: 'decline', reason: 'not now' }, WHO)).toEqual(
      member('declined', { answeredBy: 'somebody', answeredAt: 2, reason: 'not now' }),
    );
    const again = take(member('declined', { reason: 'not now' }), 'alpha', { type: 'invite' }, WHO);
    expect(again).toEqual(member('invited', { invitedBy: 'somebody', invitedAt: 2 }));
  });
});

it('two sites that are in are never called the same, and whoever takes part has named its data', () => {
  const anyStep = fc.oneof(
    fc.record({ type: fc.constant('invite' as const), name: fc.constantFrom('A', 'B', undefined) }),
    fc.record({ type: fc.constant('accept' as const), dataset: fc.constantFrom('x', 'y') }),
    ...(['decline', 'leave', 'remove'] as const).map((type) => fc.record({ type: fc.constant(type) })),
  );
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), anyStep), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (taken) => {
      let all: Membership[] = [];
      for (const [siteId, step] of taken) {
        try {
          const before = all.find((one) => one.siteId === siteId);
          all = withMembership(all, take(before, siteId, step, WHO));
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error;
        }
      }
      const names = all.filter(isOpen).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(new Set(all.map(({ siteId }) => siteId)).size).toBe(all.length);
      expect(all.filter(({ state, dataset }) => state === 'accepted' && dataset === undefined)).toEqual([]);
    }),
  );
});
