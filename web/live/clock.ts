/** The server's time: what the page measures against, for the clock of a person's computer may be wrong. */

/** The `Date` header counts in seconds, so smaller differences say nothing. */
const NOTICEABLE_MS = 2_000;
let offset = 0;

/** Learns how far the server's clock is ahead from the `Date` header of an answer. */
export function learnTime(dateHeader: string | null): void {
  const difference = Date.parse(dateHeader ?? '') - Date.now();
  if (!Number.isNaN(difference)) offset = Math.abs(difference) > NOTICEABLE_MS ? difference : 0;
}

/** This computer's time as the server counts it, in milliseconds since the epoch. */
export const serverTime = (local: number): number => local + offset;
export const serverNow = (): number => serverTime(Date.now());
