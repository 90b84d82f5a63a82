/** What is shown while there is nothing to show: on the way, none, or not to be had. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { isForbidden, isGone, wordsOf } from '../api/errors';
import { useMe } from '../session';

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

interface NotForYouProps {
  title: string;
  /** For whom it is, and what to do. */
  children: ReactNode;
}

/** In place of a page that is not for who is signed in. */
export function NotForYou({ title, children }: NotForYouProps) {
  const { name, email } = useMe();
  return (
    <section className="message">
      <h1>{title}</h1>
      <p>{children}</p>
      <p className="hint">
        You are signed in as {name}
        {email !== undefined && ` (${email})`}.
      </p>
      <p>
        <Link to="/">Back to the first page</Link>
      </p>
    </section>
  );
}

/** In place of a page that cannot be shown. */
export function Failure({ error, what }: { error: unknown; what: string }) {
  if (isForbidden(error))
    return (
      <NotForYou title={`You may not see this ${what}`}>
        Whoever sent you here can ask a lead of its consortium to invite you. If you have another account,
        sign in with that one.
      </NotForYou>
    );
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
