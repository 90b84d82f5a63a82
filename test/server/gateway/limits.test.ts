import * as fc from 'fast-check';
import { Bucket, DEFAULT_LIMITS, SiteUse } from '../../../server/gateway/limits';

it('allows so many at once, and then so many a second', () => {
  const bucket = new Bucket({ burst: 3, perSecond: 2 }, 1000);
  const take = (now: number, times: number) => Array.from({ length: times }, () => bucket.take(now));
  expect(take(1000, 4)).toEqual([true, true, true, false]);
  expect(take(1499, 1)).toEqual([false]);
  expect(take(1500, 2)).toEqual([true, false]);
  expect(take(60_000, 4)).toEqual([true, true, true, false]);
});

it('never allows more than the burst and what came since', () => {
  const asked = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });
  fc.assert(
    fc.property(
      asked,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 50 }),
      (gaps, burst, perSecond) => {
        const bucket = new Bucket({ burst, perSecond }, 0);
        let now = 0;
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          if (bucket.take(now)) taken++;
        }
        expect(taken).toBeLessThanOrEqual(burst + (now / 1000) * perSecond);
      },
    ),
  );
});

it('forgets a site only when that allows it nothing more', () => {
  const use = new SiteUse(DEFAULT_LIMITS, 0);
  expect(use.isIdle(0)).toBe(true);
  use.calls.take(0);
  expect(use.isIdle(0)).toBe(false);
  expect(use.isIdle(1000)).toBe(true);
  use.connections = 1;
  expect(use.isIdle(1000)).toBe(false);
});
