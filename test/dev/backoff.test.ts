import fc from 'fast-check';
import { Backoff } from '../../dev/backoff';

it('never waits less than before while it does not stay up, and never longer than ten seconds', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(29_999), { minLength: 2, maxLength: 60 }), (uptimes) => {
      const backoff = new Backoff();
      const waits = uptimes.map((up) => backoff.next(up));
      expect(waits).toEqual([...waits].sort((a, b) => a - b));
      expect(waits[0]).toBe(200);
      expect(waits.at(-1)).toBeLessThanOrEqual(10_000);
    }),
  );
});

it('waits shortly again once it was up for half a minute', () => {
  const backoff = new Backoff();
  for (const _ of Array(10)) backoff.next(0);
  expect(backoff.next(30_000)).toBe(200);
});
