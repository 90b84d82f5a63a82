/** The penguins' coefficients as a small table. Pure. */
import { z } from 'zod';

/** What the example computation writes of a fit; one row or rows all alike have no line through them. */
export const Fit = z.object({
  outcome: z.string(),
  predictor: z.string(),
  n: z.int(),
  intercept: z.number().optional(),
  slope: z.number().optional(),
});
export type FitRow = z.output<typeof Fit> & { name: string };

const DIGITS = 4;

/** One line per fit below a line of headings; numbers are aligned. */
export function fitTable(rows: readonly FitRow[]): string[] {
  const [{ outcome, predictor } = { outcome: 'y', predictor: 'x' }] = rows;
  const number = (value: number | undefined) => value?.toFixed(DIGITS) ?? '-';
  const cells = [
    ['', 'n', 'intercept', 'slope'],
    ...rows.map(({ name, n, intercept, slope }) => [name, String(n), number(intercept), number(slope)]),
  ];
  const width = (column: number) => Math.max(...cells.map((row) => row[column]?.length ?? 0));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
      .join('  ');
  return [`${outcome} = intercept + slope x ${predictor}`, ...cells.map(line)];
}
