/** The head of a page: where one is, what it is, and what can be done. */
import { useEffect, type ReactNode } from 'react';

/** Names the browser's tab. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title === undefined ? 'Muster' : `${title} – Muster`;
  }, [title]);
}

interface HeroProps {
  crumb?: ReactNode;
  title: string;
  sub?: ReactNode;
  children?: ReactNode;
}

export function Hero({ crumb, title, sub, children }: HeroProps) {
  return (
    <header className="hero">
      <div className="title">
        {crumb !== undefined && <p className="crumb">{crumb}</p>}
        <h1 tabIndex={-1}>{title}</h1>
        {sub !== undefined && <p className="sub">{sub}</p>}
      </div>
      <div className="actions">{children}</div>
    </header>
  );
}
