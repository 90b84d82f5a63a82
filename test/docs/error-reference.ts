/** The reference of failure types in docs/errors.md, made from the taxonomy. */
import { FAILURES, TURNS } from '../../workflows/errors';

const HEADING =
  '| type | what has happened | tried again | whose turn | what to do |\n| --- | --- | --- | --- | --- |';

/** A Markdown table with a row for each type. */
export function errorReference(): string {
  const rows = Object.entries(FAILURES).map(
    ([type, { cause, retryable, turn, advice }]) =>
      `| \`${type}\` | ${cause} | ${retryable ? 'yes' : 'no'} | ${TURNS[turn]} | ${advice} |`,
  );
  return [HEADING, ...rows].join('\n');
}
