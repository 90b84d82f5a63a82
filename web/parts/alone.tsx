/** A page for who is not signed in, or has one thing to do before anything else. */
import type { ReactNode } from 'react';
import { useTitle } from './title';

export function Alone({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="alone" id="main">
      <p className="brand">
        <img src="/favicon.svg" alt="" width={28} height={28} />
        Muster
      </p>
      <section className="card entry">
        <h1>{title}</h1>
        {children}
      </section>
    </main>
  );
}
