/** How much of the gateway one site may use, so that no site can slow another down. */
import type { CallKind } from './calls';

export interface Limits {
  /** Open at the same time. */
  connections: number;
  /** New connections: so many at once, and a second. A handshake is what costs the gateway most. */
  connects: Allowance;
  streamsPerConnection: number;
  calls: Allowance;
  /** Calls beyond those, which are refused; after so many the connection is closed. */
  excessCalls: Allowance;
  /** At the same time, polls included. */
  openCalls: number;
  /** Of requests that are not answered yet, as they came and unpacked. */
  openBytes: number;
  polls: number;
  /** Sent to us over one connection. */
  pings: Allowance;
  /** A request's headers, in bytes. */
  headerBytes: number;
  /** A request, in bytes, unpacked too. */
  requestBytes: Readonly<Record<CallKind, number>>;
  /** A request has to be here after so long, in milliseconds; an answer has to be taken. */
  transferMs: number;
  /** The longest that a call may wait for Temporal, in milliseconds. */
  pollMs: number;
  callMs: number;
}

/** So many at once, and that many a second on the long run. */
export interface Allowance {
  burst: number;
  perSecond: number;
}

const KIB = 1024;

export const DEFAULT_LIMITS: Limits = {
  connections: 8,
  connects: { burst: 30, perSecond: 0.5 },
  streamsPerConnection: 100,
  calls: { burst: 500, perSecond: 100 },
  excessCalls: { burst: 200, perSecond: 10 },
  openCalls: 200,
  openBytes: 65_536 * KIB,
  polls: 20,
  pings: { burst: 30, perSecond: 1 },
  headerBytes: 8 * KIB,
  requestBytes: {
    about: 4 * KIB,
    poll: 16 * KIB,
    heartbeat: 256 * KIB,
    // As much as Temporal takes.
    outcome: 4096 * KIB,
    worker: 256 * KIB,
  },
  transferMs: 20_000,
  pollMs: 80_000,
  callMs: 60_000,
};

/** A token bucket: full at first, refilled as time goes by. Times are in milliseconds, by any clock that does not jump. */
export class Bucket {
  private level: number;

  constructor(
    private readonly allowance: Allowance,
    private filledAt: number,
  ) {
    this.level = allowance.burst;
  }

  /** Whether there was one left to take. */
  take(now: number): boolean {
    this.fill(now);
    if (this.level < 1) return false;
    this.level -= 1;
    return true;
  }

  isFull(now: number): boolean {
    this.fill(now);
    return this.level >= this.allowance.burst;
  }

  private fill(now: number): void {
    const { burst, perSecond } = this.allowance;
    const gained = (Math.max(0, now - this.filledAt) / 1000) * perSecond;
    this.level = Math.min(burst, this.level + gained);
    this.filledAt = now;
  }
}

/** What one site uses at the moment. */
export class SiteUse {
  connections = 0;
  openCalls = 0;
  openBytes = 0;
  polls = 0;
  readonly connects: Bucket;
  readonly calls: Bucket;
  readonly excessCalls: Bucket;
  /** Refusals that are worth a line each in the log. */
  readonly lines: Bucket;

  constructor(limits: Limits, now: number) {
    this.connects = new Bucket(limits.connects, now);
    this.calls = new Bucket(limits.calls, now);
    this.excessCalls = new Bucket(limits.excessCalls, now);
    this.lines = new Bucket({ burst: 50, perSecond: 1 }, now);
  }

  /** Forgotten now, nothing would be allowed again that was not before. */
  isIdle(now: number): boolean {
    const buckets = [this.connects, this.calls, this.excessCalls, this.lines];
    return this.connections === 0 && this.openCalls === 0 && buckets.every((bucket) => bucket.isFull(now));
  }
}
