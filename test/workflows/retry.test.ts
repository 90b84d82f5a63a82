import fc from 'fast-check';
import { pausesWithin, retryFor } from '../../workflows/retry';

describe('retryFor', () => {
  it.each([
    ['0s', 1],
    ['1s', 2],
    ['30s', 6],
    ['10m', 25],
  ] as const)('tries %s long: %i attempts', (window, attempts) => {
    expect(retryFor(window).maximumAttempts).toBe(attempts);
  });

  it('fills the window with pauses, and no more than one too many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (window) => {
        const count = pausesWithin(window);
        expect(total(count)).toBeGreaterThanOrEqual(window);
        if (count > 0) expect(total(count - 1)).toBeLessThan(window);
      }),
    );
  });

  const total = (pauses: number) =>
    Array.from({ length: pauses }, (_, index) => Math.min(1000 * 2 ** index, 30_000)).reduce(
      (sum, pause) => sum + pause,
      0,
    );
});
