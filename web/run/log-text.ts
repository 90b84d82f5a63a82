/** What is kept of a log while it is shown. Pure. */

/** More than anybody scrolls through; the whole log is a call of the API away. */
const MOST = 2_000_000;

export interface LogText {
  text: string;
  /** Whether its beginning was let go. */
  isCut: boolean;
}

/** The end of a log after `more` was added to it, from the beginning of a line. */
export function lastOf({ text, isCut }: LogText, more: string, most = MOST): LogText {
  const all = text + more;
  if (all.length <= most) return { text: all, isCut };
  const kept = all.slice(-Math.ceil(most / 2));
  return { text: kept.slice(kept.indexOf('\n') + 1), isCut: true };
}
