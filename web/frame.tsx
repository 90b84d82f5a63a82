/** What every page has around its content: the name, whether the API is heard, and a voice for screen readers. */
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { connection, type Connection } from './live/connection';
import { clockTime, zone } from './format';
import { serverNow } from './live/clock';
import { seesAudit } from './may';
import { voice } from './parts/voice';
import { useMe } from './session';
import { useStore } from './store';

const WORDS: Record<Connection['state'], string> = {
  none: '',
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost',
};

export function Frame() {
  const me = useMe();
  const pulse = useStore(connection);
  const main = useRef<HTMLElement>(null);
  useFocusOnArrival(main);
  return (
    <div className="frame" data-connection={pulse.state}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Link className="brand" to="/">
          <img src="/favicon.svg" alt="" width={24} height={24} />
          Muster
        </Link>
        <nav aria-label="Pages">
          <Link to="/" activeOptions={{ exact: true }}>
            Runs
          </Link>
          <Link to="/sites">Sites</Link>
          {me.admin && (
            <>
              <Link to="/admin/people">People</Link>
              <Link to="/admin/computations">Computations</Link>
            </>
          )}
          {seesAudit(me) && <Link to="/admin/audit">Audit</Link>}
          {me.admin && <Link to="/admin/health">Health</Link>}
        </nav>
        <p className="connection">
          {pulse.state !== 'none' && <span className="dot" />}
          {WORDS[pulse.state]}
        </p>
        <Link className="who-is-here" to="/me">
          {me.name}
        </Link>
      </header>
      <p className="banner" role="status">
        {pulse.state === 'lost' && lost(pulse.lastHeard)}
      </p>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <footer className="foot hint">Times are local: {zone(serverNow())}</footer>
      <Voice />
    </div>
  );
}

function Voice() {
  return (
    <p className="unseen" role="status">
      {useStore(voice)}
    </p>
  );
}

/** On another page the focus begins at its content, as it does when a browser loads one. */
function useFocusOnArrival(main: React.RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [main, pathname]);
}

function lost(lastHeard: number | undefined): string {
  if (lastHeard === undefined) return 'The central API does not answer. Trying again…';
  return `Connection lost, last heard ${clockTime(lastHeard)}. What you see may be out of date. Trying again…`;
}
