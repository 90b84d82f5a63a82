/**
 * Reads a site's table. Error messages may leave the site, so they name files, lines and columns, and never quote a
 * value.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Point } from './least-squares';
import { readText } from './messages';

const MISSING = ['', 'NA'];

/** The rows of the only CSV file in `folder` that have both values. */
export function readPoints(folder: string, columns: { x: string; y: string }): Point[] {
  const name = onlyCsv(folder);
  return parsePoints(readText(join(folder, name)), name, columns);
}

function onlyCsv(folder: string): string {
  const names = filesIn(folder).filter((name) => name.toLowerCase().endsWith('.csv'));
  const [name] = names;
  if (name === undefined) throw new Error('The data folder has no CSV file');
  if (names.length > 1) throw new Error(`The data folder has ${names.length} CSV files; there must be one`);
  return name;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new Error('The data folder cannot be read');
  }
}

/** As {@link readPoints}, from the file's text. */
export function parsePoints(text: string, name: string, columns: { x: string; y: string }): Point[] {
  const [header, ...rows] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const names = splitRow(header ?? '');
  const columnOf = (column: string) => {
    const index = names.indexOf(column);
    if (index < 0) throw new Error(`${name} has no column ${JSON.stringify(column)}`);
    return index;
  };
  const [x, y] = [columnOf(columns.x), columnOf(columns.y)];
  const points: Point[] = [];
  rows.forEach((row, index) => {
    if (row.trim() === '') return;
    const fields = splitRow(row);
    const line = `${name}, line ${index + 2}`;
    if (fields.length !== names.length)
      throw new Error(`${line}: not as many fields as the header has columns`);
    const point = { x: toNumber(fields[x], line, columns.x), y: toNumber(fields[y], line, columns.y) };
    if (point.x !== undefined && point.y !== undefined) points.push({ x: point.x, y: point.y });
  });
  return points;
}

function toNumber(field = '', line: string, column: string): number | undefined {
  const text = field.trim();
  if (MISSING.includes(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`${line}: ${JSON.stringify(column)} is not a number`);
  return value;
}

/** Fields of one line; a field in double quotes may hold commas and doubled quotes. */
function splitRow(row: string): string[] {
  const fields = row.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) ?? [];
  return fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field));
}
