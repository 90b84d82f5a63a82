/** What is shown while there is nothing to show: on the way, none, or not to be had. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { isGone, wordsOf } from '../api/errors';

/** The shape of what is on its way; it says so to a screen reader. */
export function Skeleton({ lines = 3, what }: { lines?: number; what: string }) {
  return (
    <div className="skeleton" role="status" aria-label={`${what}: loading`}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} aria-hidden="true" />
      ))}
    </div>
  );
}

export const Empty = ({ children }: { children: ReactNode }) => <p className="empty">{children}</p>;

/** In place of a page that cannot be shown. */
export function Failure({ error, what }: { error: unknown; what: string }) {
  const gone = isGone(error);
  return (
    <section className="message">
      <h1>{gone ? `There is no such ${what}` : 'This cannot be shown'}</h1>
      <p className="problem" role="alert">
        {wordsOf(error)}
      </p>
      <p>
        <Link to="/">Back to the first page</Link>
      </p>
    </section>
  );
}
