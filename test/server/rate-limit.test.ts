import * as fc from 'fast-check';
import { createRateLimit, networkOf } from '../../server/rate-limit';

describe('how often someone may ask', () => {
  it('is a few times at once, and then every so often', () => {
    let now = 1_000_000;
    const limit = createRateLimit({ burst: 3, everyMs: 1_000 }, () => now);
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([0, 0, 0, 1_000]);
    expect(limit.take('b')).toBe(0);
    now += 999;
    expect(limit.take('a')).toBe(1);
    now += 1;
    expect([1, 2].map(() => limit.take('a'))).toEqual([0, 1_000]);
    limit.giveBack('a');
    expect([1, 2].map(() => limit.take('a'))).toEqual([0, 1_000]);
  });

  it('is never more than the burst and what time brings', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3_000 }), { maxLength: 100 }), (pauses) => {
        let now = 0;
        const limit = createRateLimit({ burst: 4, everyMs: 1_000 }, () => now);
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (limit.take('a') === 0) taken += 1;
          expect(taken).toBeLessThanOrEqual(4 + now / 1_000);
        }
      }),
    );
  });
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::', 'fe80:0:0:0'],
])('%s stands for the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
