/**
 * New rows of a table that only grows, by their ids. Two transactions may commit in another order than their rows were numbered, so
 * a number that was passed over is looked for a while longer.
 */

/** No transaction here takes longer. */
export const LATE_MS = 10_000;
const MOST_AWAITED = 1_000;

export interface Tail<Row> {
  /** The rows that were not there before. */
  take(): Promise<Row[]>;
}

/**
 * @param newest the highest id that there is
 * @param read the rows after an id, and those of these ids, in order
 */
export async function openTail<Row extends { id: number }>(
  {
    newest,
    read,
  }: { newest: () => Promise<number>; read: (after: number, or: readonly number[]) => Promise<Row[]> },
  clock: () => number = Date.now,
): Promise<Tail<Row>> {
  let last = await newest();
  let awaited: { id: number; until: number }[] = [];
  return {
    async take() {
      const now = clock();
      awaited = awaited.filter(({ until }) => until > now).slice(-MOST_AWAITED);
      const rows = await read(
        last,
        awaited.map(({ id }) => id),
      );
      const came = new Set(rows.map(({ id }) => id));
      awaited = awaited.filter(({ id }) => !came.has(id));
      const highest = Math.max(last, ...came);
      for (let id = Math.max(last + 1, highest - MOST_AWAITED); id < highest; id += 1)
        if (!came.has(id)) awaited.push({ id, until: now + LATE_MS });
      last = highest;
      return rows;
    },
  };
}
