/** Hours in which nothing new starts, by clocks that are put forward and back. */
import fc from 'fast-check';
import { QuietHours, quietAt } from '../../activities/edge/quiet-hours';

const at = (moment: string) => Date.parse(moment);
const iso = (quiet: { until?: number } | undefined) =>
  quiet &&
  (quiet.until === undefined ? 'no end' : new Date(quiet.until).toISOString().replace(':00.000Z', 'Z'));
const hours = (...drafts: Record<string, unknown>[]) =>
  drafts.map((draft) => QuietHours.parse({ timezone: 'UTC', ...draft }));

const night = { from: '22:00', to: '06:00' };
const noon = { from: '12:00', to: '13:30' };

// 2026-11-23 is a Monday.
test.each<[string, Record<string, unknown>[], string, string | undefined]>([
  ['none', [], '2026-11-23T23:00Z', undefined],
  ['before a night', [night], '2026-11-23T21:59Z', undefined],
  ['as a night begins', [night], '2026-11-23T22:00Z', '2026-11-24T06:00Z'],
  ['after midnight', [night], '2026-11-24T03:00Z', '2026-11-24T06:00Z'],
  ['as a night ends', [night], '2026-11-24T06:00Z', undefined],
  ['at noon', [noon], '2026-11-23T12:20Z', '2026-11-23T13:30Z'],
  ['a night of a day', [{ ...night, days: ['mon'] }], '2026-11-23T23:00Z', '2026-11-24T06:00Z'],
  ['the morning after it', [{ ...night, days: ['mon'] }], '2026-11-24T05:00Z', '2026-11-24T06:00Z'],
  ['the morning before it', [{ ...night, days: ['mon'] }], '2026-11-23T05:00Z', undefined],
  ['from Sunday into Monday', [{ ...night, days: ['sun'] }], '2026-11-23T05:00Z', '2026-11-23T06:00Z'],
  ['until midnight', [{ from: '20:00', to: '24:00' }], '2026-11-23T20:00Z', '2026-11-24T00:00Z'],
  [
    'a weekend that is two days',
    [{ days: ['sat', 'sun'], from: '00:00', to: '24:00' }],
    '2026-11-28T10:00Z',
    '2026-11-30T00:00Z',
  ],
  [
    'hours that follow one another',
    [noon, { from: '13:00', to: '15:00' }],
    '2026-11-23T12:20Z',
    '2026-11-23T15:00Z',
  ],
  ['always', [{ from: '00:00', to: '24:00' }], '2026-11-23T12:00Z', 'no end'],
  [
    'a whole day from noon',
    [{ days: ['mon'], from: '12:00', to: '12:00' }],
    '2026-11-24T11:00Z',
    '2026-11-24T12:00Z',
  ],
  ['elsewhere', [{ ...night, timezone: 'Asia/Tokyo' }], '2026-11-23T14:00Z', '2026-11-23T21:00Z'],
  // The clock goes from 02:00 to 03:00, and in autumn from 03:00 to 02:00.
  ['a short night', [{ ...night, timezone: 'Europe/Berlin' }], '2026-03-28T21:30Z', '2026-03-29T04:00Z'],
  ['a long night', [{ ...night, timezone: 'Europe/Berlin' }], '2026-10-24T20:30Z', '2026-10-25T05:00Z'],
])('%s', (_, drafts, moment, until) => {
  expect(iso(quietAt(hours(...drafts), at(moment)))).toBe(until);
});

const time = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
const draft = fc.record(
  {
    days: fc.uniqueArray(fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'), { minLength: 1 }),
    from: time,
    to: time,
    timezone: fc.constantFrom(...zones),
  },
  { requiredKeys: ['from', 'to'] },
);
const moment = fc.date({ min: new Date('2026-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });

test('their end is later, and a moment without quiet; just before it is one', () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 4 }), moment, (drafts, moment) => {
      const some = hours(...drafts);
      const quiet = quietAt(some, moment.getTime());
      if (quiet?.until === undefined) return;
      expect(quiet.until).toBeGreaterThan(moment.getTime());
      expect(quietAt(some, quiet.until)).toBeUndefined();
      expect(quietAt(some, quiet.until - 1)).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ ...night, from: '24:00' }, 'a time of day is written "22:00"'],
  [{ ...night, from: '8:00' }, 'a time of day is written "22:00"'],
  [{ ...night, to: 360 }, 'a time of day is written "22:00"'],
  [{ ...night, timezone: 'Mars' }, 'a time zone is named like Europe/Berlin or UTC'],
  [{ ...night, days: [] }, 'Too small'],
])('%j is not valid', (draft, words) => {
  expect(QuietHours.safeParse(draft).error?.issues[0]?.message).toContain(words);
});
