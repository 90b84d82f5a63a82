/** The reference of problem types in docs/errors.md, made from the list of them. */
import { KINDS, PROBLEM_KINDS } from '../../server/problem-kinds';

const HEADING = '| type | status | what it is | what to do |\n| --- | --- | --- | --- |';

/** A Markdown table with a row for each type. */
export function problemReference(): string {
  const rows = PROBLEM_KINDS.map((kind) => {
    const { status, title, advice } = KINDS[kind];
    return `| \`${kind}\` | ${status} | ${title} | ${advice} |`;
  });
  return [HEADING, ...rows].join('\n');
}
