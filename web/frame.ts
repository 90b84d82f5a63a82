/** What every page has around its content: the name, whether the API is heard, and a voice for screen readers. */
import { serverTime } from './clock';
import type { Connection } from './connection';
import { clockTime } from './format';
import { button, fill, h, setAttribute, type Child } from './render';
import { forgetToken } from './session';
import { startTicking } from './times';

export interface Frame {
  main: HTMLElement;
  /** Shows whether what the page says is fresh; while it is not, its times stand still. */
  setConnection: (connection: Connection) => void;
  /** Says `text` to a screen reader, when it is news. */
  say(text: string): void;
  /** Shows a message in place of the page's content. */
  showMessage(title: string, ...children: Child[]): void;
}

const WORDS: Record<Connection['state'], string> = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost',
};

/** Puts the frame into the document. */
export function createFrame(): Frame {
  const connection = h('p', { class: 'connection' });
  const banner = h('p', { class: 'banner', role: 'status' });
  const voice = h('p', { class: 'unseen', role: 'status' });
  const main = h('main', { id: 'main' });
  const leave = button({ class: 'quiet' }, changeAccess, 'Change access');
  const brand = h(
    'a',
    { class: 'brand', href: '/' },
    h('img', { src: '/favicon.svg', alt: '', width: 24, height: 24 }),
    'Muster',
  );
  document.body.replaceChildren(
    h('a', { class: 'skip', href: '#main' }, 'Skip to the content'),
    h('header', { class: 'top' }, brand, connection, leave),
    banner,
    main,
    voice,
  );
  let lastHeard: number | undefined;
  startTicking(() => (lastHeard === undefined ? undefined : serverTime(lastHeard)));
  return {
    main,
    setConnection(now) {
      lastHeard = now.state === 'lost' ? now.lastHeard : undefined;
      setAttribute(document.body, 'data-connection', now.state);
      fill(connection, now.state, () => [h('span', { class: 'dot' }), WORDS[now.state]]);
      fill(banner, now, () => (now.state === 'lost' ? [lost(now.lastHeard)] : []));
    },
    say(text) {
      if (voice.textContent !== text) voice.textContent = text;
    },
    showMessage(title, ...children) {
      document.body.removeAttribute('data-connection');
      fill(connection, title, () => []);
      fill(banner, title, () => []);
      main.replaceChildren(h('section', { class: 'message' }, h('h1', {}, title), ...children));
    },
  };
}

function lost(lastHeard: number | undefined): string {
  if (lastHeard === undefined) return 'The central API does not answer. Trying again…';
  return `Connection lost, last heard ${clockTime(lastHeard)}. What you see may be out of date. Trying again…`;
}

function changeAccess(): void {
  forgetToken();
  location.reload();
}
