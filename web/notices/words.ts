/** What people are told of, and what came of telling it, in words. Pure. */
import type { ListNoticesResponse } from '../../client/generated/types.gen';
import type { NoticeDelivery, NoticeEvent } from '../../workflows/notice-contract';

export type NoticeView = ListNoticesResponse['notices'][number];

export const EVENT_WORDS: Readonly<Record<NoticeEvent, string>> = {
  finished: 'A run has finished or was stopped',
  failed: 'A run has failed',
  waiting: 'A run waits for somebody to do something',
};

const VERBS: Readonly<Record<NoticeEvent, string>> = {
  finished: 'finishes',
  failed: 'fails',
  waiting: 'waits for somebody',
};

/** `when a run fails or waits for somebody`. */
export const whenOf = (on: readonly NoticeEvent[]): string =>
  `when a run ${on.map((event) => VERBS[event]).join(' or ')}`;

export const EVENT_NAMES: Readonly<Record<NoticeDelivery['event'], string>> = {
  finished: 'finished',
  failed: 'failed',
  waiting: 'waiting',
  test: 'a test',
};

/** How a receiver stands, as a sentence that says what to do where something is to be done. */
export function standingOf({ off, failingSince, deliveries }: NoticeView): {
  tone: 'good' | 'warn' | 'bad' | 'idle';
  says: string;
  since?: number;
} {
  if (off)
    return {
      ...{ tone: 'bad', since: off.at },
      says: `switched off, for nothing had reached it (${off.reason.replace(/\.$/, '')}). Save it once more to switch it on`,
    };
  if (failingSince !== undefined)
    return { tone: 'warn', says: 'nothing has reached it; it is still tried', since: failingSince };
  if (deliveries.some(({ state }) => state === 'delivered')) return { tone: 'good', says: 'was reached' };
  return { tone: 'idle', says: 'nothing was sent to it yet' };
}

/** What became of one notice. */
export function fateOf({ state, attempts, problem }: NoticeDelivery): string {
  const why = problem === undefined ? '' : `: ${problem}`;
  if (state === 'delivered') return attempts > 1 ? `arrived at attempt ${attempts}` : 'arrived';
  if (state === 'failed') return `did not arrive${why}`;
  if (state === 'withdrawn') return 'was not needed any more';
  return attempts === 0 ? 'on its way' : `tried ${attempts === 1 ? 'once' : `${attempts} times`}${why}`;
}

/** A name for a receiver that none of `taken` has, made of where it is: `example-org`. */
export function nameFor(place: string, taken: readonly string[]): string {
  const host = URL.canParse(place) ? new URL(place).hostname : place;
  const slug = host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 36)
    .replace(/^-+|-+$/g, '');
  const name = slug === '' ? 'receiver' : slug;
  if (!taken.includes(name)) return name;
  const free = taken.length + 2;
  for (let number = 2; number < free; number += 1)
    if (!taken.includes(`${name}-${number}`)) return `${name}-${number}`;
  return `${name}-${free}`;
}
