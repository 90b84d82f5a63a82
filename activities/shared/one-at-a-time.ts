/**
 * Lets attempts at the same thing follow each other within this process. A worker that was frozen has an attempt at work that
 * the server has given up for dead; the next one begins when that has ended, and finds what it did.
 */
export function oneAtATime(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work);
    const ended: Promise<unknown> = mine
      .catch(() => undefined)
      .finally(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    last.set(key, ended);
    return mine;
  };
}
