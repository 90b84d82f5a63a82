/** A limit of time that ends, also when nobody but the waiting itself refers to it. */

/**
 * As `AbortSignal.timeout`, which must not be used: within `AbortSignal.any` Node may collect it, and then it never aborts
 * (nodejs/node#57736). Here the timer holds the signal.
 * @param ms milliseconds; the timer keeps no process alive
 * @returns a signal that aborts with a `TimeoutError`
 */
export function timeLimit(ms: number): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => {
    limit.abort(new DOMException(`Not done within ${ms} ms`, 'TimeoutError'));
  }, ms).unref();
  return limit.signal;
}
