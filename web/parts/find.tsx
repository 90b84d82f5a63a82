/** A long list: its first rows, and a field by which the others are found. */
import { useState, type ReactNode } from 'react';
import { Input, Label, SearchField } from 'react-aria-components';
import { count } from '../format';

/** Rows drawn at once. */
const MOST_ROWS = 50;
/** So many are looked through by eye. */
const FEW = 10;

export interface Found<Row> {
  /** As many of those that fit as are drawn. */
  rows: readonly Row[];
  /** Whether somebody looks for some. */
  isNarrowed: boolean;
  /** Nothing, where there are few. */
  field: ReactNode;
  /** Says that there are more than are drawn. */
  more: ReactNode;
}

/**
 * @param what a row is called, such as `site`
 * @param wordsOf what it is found by
 */
export function useFind<Row>(
  all: readonly Row[],
  what: string,
  wordsOf: (row: Row) => readonly (string | undefined)[],
  several = `${what}s`,
): Found<Row> {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const fitting = all.filter((row) => wordsOf(row).some((word) => word?.toLowerCase().includes(wanted)));
  return {
    rows: fitting.slice(0, MOST_ROWS),
    isNarrowed: wanted !== '',
    field: all.length > FEW && (
      <SearchField className="search" value={text} onChange={setText}>
        <Label className="unseen">Find a {what}</Label>
        <Input placeholder={`Find a ${what}`} />
      </SearchField>
    ),
    more: fitting.length > MOST_ROWS && (
      <p className="hint">
        The first {MOST_ROWS} of {count(fitting.length, what, several)} are shown. Look for others by name.
      </p>
    ),
  };
}
