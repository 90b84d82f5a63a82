/** How often someone may ask: a few times at once, then every so often. */
import { HttpProblem } from './problem';

export interface Rate {
  /** So many times at once, by somebody who has not asked for a while. */
  burst: number;
  /** One more after so long. */
  everyMs: number;
}

export interface RateLimit {
  /** Counts a request of `key`; answers in how many milliseconds it may be made, 0 if now. */
  take(key: string): number;
  /** The request does not count after all. */
  giveBack(key: string): void;
}

/** The oldest are forgotten first. */
const MOST_KEYS = 10_000;

/** @param clock milliseconds since the epoch */
export function createRateLimit({ burst, everyMs }: Rate, clock: () => number = Date.now): RateLimit {
  /** When each will have been forgiven all that it asked. */
  const debts = new Map<string, number>();
  return {
    take(key) {
      const now = clock();
      const debt = Math.max(debts.get(key) ?? 0, now) + everyMs;
      const wait = debt - now - burst * everyMs;
      if (wait > 0) return wait;
      debts.delete(key);
      debts.set(key, debt);
      const [oldest] = debts.keys();
      if (debts.size > MOST_KEYS && oldest !== undefined) debts.delete(oldest);
      return 0;
    },
    giveBack(key) {
      const debt = debts.get(key);
      if (debt !== undefined) debts.set(key, debt - everyMs);
    },
  };
}

/** @throws HttpProblem `too-many-requests` where it may not be made now */
export function mustWait(limit: RateLimit, key: string): void {
  const seconds = Math.ceil(limit.take(key) / 1_000);
  if (seconds > 0)
    throw new HttpProblem('too-many-requests', `Too many tries: the next is looked at in ${seconds} s.`);
}

/** What stands for an address: the whole of it, or the network of an IPv6 one, of which anybody has billions. */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter((g) => g !== '').length;
  return [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':')].slice(0, 4).join(':');
}
