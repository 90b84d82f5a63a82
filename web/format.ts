/** How the page writes lengths of time, times of day, sizes and counts. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');

/** A length of time in its two largest units: `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`. */
export function duration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < HOUR) return `${Math.floor(length / MINUTE)} min ${two((length % MINUTE) / SECOND)} s`;
  if (length < DAY) return `${Math.floor(length / HOUR)} h ${two((length % HOUR) / MINUTE)} min`;
  return `${Math.floor(length / DAY)} d ${two((length % DAY) / HOUR)} h`;
}

/** The local time of day: `03:12:45`. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** A local time as short as it can be seen from `now`: the time of day today, with the date on any other day. */
export function dayTime(at: number, now: number): string {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(at);
  const day = `${date.getDate()} ${MONTHS[date.getMonth()] ?? ''}`;
  const year = date.getFullYear() === new Date(now).getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${day}${year}, ${clockTime(at)}`;
}

/** A size in bytes as people read it: `812 B`, `1.2 KiB`, `3.4 GiB`. */
export function bytes(size: number): string {
  let value = size;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/** `1 site`, `3 sites`, `1,000 sites`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount.toLocaleString('en-US')} ${amount === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** A moment in full, with the zone it is told in: `28 Nov 2026, 05:12:45 GMT+1`. */
export function fullTime(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
}

/** The zone that times are told in: `Europe/Berlin, GMT+1`. */
export function zone(now: number): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'shortOffset' }).formatToParts(now);
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value;
  return [timeZone, offset]
    .filter((part, index, all) => part !== undefined && all.indexOf(part) === index)
    .join(', ');
}
