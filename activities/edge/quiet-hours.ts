/** Hours in which nothing new starts at a site: which they are, whether it is one now, and until when. Pure. */
import { z } from 'zod';

/** In the order in which a week has them. */
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
/** Hours that follow one another without a gap are followed for so long; then they are taken to have no end. */
const MOST_IN_A_ROW = 32;

const TIME_WORDS = 'a time of day is written "22:00"';
const TimeOfDay = z.string(TIME_WORDS).regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, TIME_WORDS);
const EndOfDay = z.string(TIME_WORDS).regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, TIME_WORDS);
const TimeZone = z
  .string()
  .max(100)
  .refine((name) => formatOf(name) !== undefined, 'a time zone is named like Europe/Berlin or UTC');

/** Hours of some days of the week, or of all. */
export const QuietHours = z.strictObject({
  days: z
    .array(z.enum(DAYS))
    .min(1)
    .optional()
    .describe('Of which days they begin: `mon` to `sun`. Absent: of every day.'),
  from: TimeOfDay.describe('When they begin, as `"22:00"`.'),
  to: EndOfDay.describe(
    'When they end. A time that is not after `from` is of the next day: `from: "22:00"`, `to: "06:00"` is a night, and ' +
      'the same time twice a whole day.',
  ),
  timezone: TimeZone.optional().describe(
    "Of which place these times are, as `Europe/Berlin`. Absent: of the edge worker's own clock, which in a container is mostly UTC.",
  ),
});
export type QuietHours = z.output<typeof QuietHours>;

/** Whether the moment `at` is in one of `hours`; then with the end, which is absent where they leave no gap. */
export function quietAt(hours: readonly QuietHours[], at: number): { until?: number } | undefined {
  if (endingAfter(hours, at) === undefined) return undefined;
  let until = at;
  for (let count = 0; count < MOST_IN_A_ROW; count += 1) {
    const end = endingAfter(hours, until);
    if (end === undefined) return { until };
    until = end;
  }
  return {};
}

/** When the last to end of those hours ends in which the moment `at` is. */
function endingAfter(hours: readonly QuietHours[], at: number): number | undefined {
  const ends = hours.filter((one) => isIn(one, at)).map((one) => endOf(one, at));
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function isIn({ days, from, to, timezone }: QuietHours, at: number): boolean {
  const { day, minute } = localTime(at, timezone);
  const [begin, end] = [minutes(from), minutes(to)];
  const beginsOn = (index: number) => days?.includes(DAYS[(index + 7) % 7] ?? 'mon') ?? true;
  if (begin < end) return beginsOn(day) && minute >= begin && minute < end;
  return (beginsOn(day) && minute >= begin) || (beginsOn(day - 1) && minute < end);
}

/** When those hours end in which the moment `at` is; or, where the clock is put back meanwhile, a later moment in them. */
function endOf(hours: QuietHours, at: number): number {
  const left = (minutes(hours.to) % DAY_MINUTES) - localTime(at, hours.timezone).minute;
  let inside = Math.floor(at / MINUTE_MS);
  let outside = inside + (left > 0 ? left : left + DAY_MINUTES);
  if (isIn(hours, outside * MINUTE_MS)) return outside * MINUTE_MS;
  // Where the clock is put forward meanwhile, they end sooner.
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (isIn(hours, middle * MINUTE_MS)) inside = middle;
    else outside = middle;
  }
  return outside * MINUTE_MS;
}

function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}

/** The day of the week, of {@link DAYS}, and the minute of the day that a clock there shows. */
function localTime(at: number, timezone: string | undefined): { day: number; minute: number } {
  const parts = new Map(
    formatOf(timezone)
      ?.formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = DAYS.findIndex((name) => name === parts.get('weekday')?.toLowerCase());
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

/** Made once for each place, for that takes long; `undefined` if there is no such place. */
function formatOf(timezone: string | undefined): Intl.DateTimeFormat | undefined {
  const known = formats.get(timezone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      ...(timezone !== undefined && { timeZone: timezone }),
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timezone, format);
    return format;
  } catch {
    return undefined;
  }
}
