import { TokenKeys, type Task } from '../../../server/gateway/tokens';
import { testKey } from './stage';

const boston = { siteId: 'boston', namespace: 'default' };
const ring = new TokenKeys([testKey('k1')]);
const task: Task = {
  token: Buffer.from('what Temporal knows it by'),
  workflowId: 'run-1',
  executionId: '9d8c',
  activity: 'launchEdgeNode',
  activityId: '5',
  attempt: '2',
};

it('opens for the site it was sealed for, and says which task it is', () => {
  expect(ring.open(ring.seal(task, boston), boston)).toEqual(task);
});

it('opens for no other site and in no other namespace', () => {
  const sealed = ring.seal(task, boston);
  expect(ring.open(sealed, { ...boston, siteId: 'lyon' })).toBeUndefined();
  expect(ring.open(sealed, { ...boston, namespace: 'other' })).toBeUndefined();
});

it('does not show what is in it', () => {
  const sealed = ring.seal(task, boston);
  expect(sealed.includes('run-1')).toBe(false);
  expect(sealed.includes(task.token)).toBe(false);
  expect(ring.seal(task, boston)).not.toEqual(sealed);
});

it('outlives the change of keys for as long as its own is in the ring', () => {
  const sealed = ring.seal(task, boston);
  const next = new TokenKeys([testKey('k2', 8), testKey('k1')]);
  expect(next.open(sealed, boston)).toEqual(task);
  expect(next.open(next.seal(task, boston), boston)).toEqual(task);
  expect(ring.open(next.seal(task, boston), boston)).toBeUndefined();
  expect(new TokenKeys([testKey('k2', 8)]).open(sealed, boston)).toBeUndefined();
  expect(new TokenKeys([testKey('k1', 8)]).open(sealed, boston)).toBeUndefined();
});

it('is refused when a single bit of it is another, or a byte is missing', () => {
  const sealed = ring.seal(task, boston);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(ring.open(changed, boston)).toBeUndefined();
  }
  for (let end = 0; end < sealed.length; end++)
    expect(ring.open(sealed.subarray(0, end), boston)).toBeUndefined();
});
