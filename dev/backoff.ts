/** How long to wait before something that ended is started again. */
const FIRST_MS = 200;
const LONGEST_MS = 10_000;
const STEADY_MS = 30_000;

/** Waits double from start to start, and are short again once it was up for a while. */
export class Backoff {
  private failures = 0;

  /** The next wait, after it was up for `upMs`. */
  next(upMs: number): number {
    if (upMs >= STEADY_MS) this.failures = 0;
    return Math.min(FIRST_MS * 2 ** this.failures++, LONGEST_MS);
  }
}
