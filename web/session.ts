/** The access token of this browser tab: it comes in the address's fragment or from the form, and lives as long as the tab. */
import { createStore } from './store';

const KEY = 'muster.token';
const FRAGMENT = /^#token=(.+)$/;

/** Whether there is a token, and whether the API accepts it as far as is known. */
export const access = createStore<'there' | 'absent' | 'refused'>('absent');

/** Looks for a token. One in the address is kept, and taken out of the address bar and the history. */
export function openSession(): void {
  const [, inAddress] = FRAGMENT.exec(location.hash) ?? [];
  if (inAddress !== undefined) {
    sessionStorage.setItem(KEY, decodeURIComponent(inAddress));
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  access.set(currentToken() === undefined ? 'absent' : 'there');
}

export const currentToken = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

/** Whether the token says that its bearer is an admin; the API decides whether that is so. */
export function seemsAdmin(token: string): boolean {
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] ?? '').replace(/[-_]/g, asBase64)));
    return typeof claims === 'object' && claims !== null && 'role' in claims && claims.role === 'admin';
  } catch {
    return false;
  }
}

const asBase64 = (character: string) => (character === '-' ? '+' : '/');

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
  access.set('there');
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  access.set('absent');
}

/** The API does not accept the token (any more). */
export function refused(): void {
  sessionStorage.removeItem(KEY);
  access.set('refused');
}

/** Calls `listener` when a link with a token is opened in this tab. */
export function onNewToken(listener: () => void): void {
  addEventListener('hashchange', () => {
    if (FRAGMENT.test(location.hash)) listener();
  });
}
