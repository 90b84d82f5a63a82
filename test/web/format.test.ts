import fc from 'fast-check';
import { bytes, clockTime, count, dayTime, duration, list } from '../../web/format';

const [S, MIN, H, D] = [1_000, 60_000, 3_600_000, 86_400_000];

test.each([
  [-5 * S, '0 s'],
  [999, '0 s'],
  [59 * S, '59 s'],
  [MIN + 5 * S, '1 min 05 s'],
  [2 * H + 7 * MIN + 59 * S, '2 h 07 min'],
  [3 * D + 4 * H, '3 d 04 h'],
])('%d ms last %s', (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1.5 * 2 ** 30, '1.5 GiB'],
  [2 ** 41, '2.0 TiB'],
])('%d bytes are %s', (size, text) => expect(bytes(size)).toBe(text));

test('amounts and lists read like sentences', () => {
  expect([count(0, 'site'), count(1, 'site'), count(1000, 'site')]).toEqual([
    '0 sites',
    '1 site',
    '1,000 sites',
  ]);
  expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

test('a moment of another day, or of another year, names it', () => {
  const at = new Date(2024, 2, 9, 3, 12, 5).getTime();
  expect(dayTime(at, new Date(2024, 2, 9, 23).getTime())).toBe('03:12:05');
  expect(dayTime(at, new Date(2024, 2, 10).getTime())).toBe('9 Mar, 03:12:05');
  expect(dayTime(at, new Date(2025, 2, 9).getTime())).toBe('9 Mar 2024, 03:12:05');
});

test('a time of day is the local one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), (hours, minutes) => {
      const at = new Date(2024, 0, 15, hours, minutes, 7).getTime();
      expect(clockTime(at).split(':').map(Number)).toEqual([hours, minutes, 7]);
    }),
  );
});
