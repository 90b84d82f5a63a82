/** A part of a page, with its heading; and a table within it. */
import { useId, type ReactNode } from 'react';
import { Empty } from './states';

interface SectionProps {
  title: string;
  /** Beside the heading. */
  action?: ReactNode;
  /** Whether it stands by itself, rather than on a card. */
  isPlain?: boolean;
  children: ReactNode;
}

export function Section({ title, action, isPlain = false, children }: SectionProps) {
  const id = useId();
  return (
    <section className={isPlain ? undefined : 'card'} aria-labelledby={id}>
      <div className="bar">
        <h2 id={id} tabIndex={-1}>
          {title}
        </h2>
        {action}
      </div>
      {children}
    </section>
  );
}

interface TableProps<Row> {
  columns: readonly string[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Said where there are no rows. */
  empty: ReactNode;
  cells: (row: Row) => readonly ReactNode[];
}

/** The last column is for what can be done with a row where it has no name. A narrow page shows each row as a list of its cells. */
export function Table<Row>({ columns, rows, keyOf, empty, cells }: TableProps<Row>) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            {columns.map((column) =>
              column === '' ? (
                <th key="actions" scope="col">
                  <span className="unseen">Actions</span>
                </th>
              ) : (
                <th key={column} scope="col">
                  {column}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {cells(row).map((cell, index) => (
                <td
                  key={columns[index]}
                  data-column={columns[index]}
                  className={columns[index] === '' ? 'end' : undefined}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
