/** Cookies that this server gives out: their values are letters, digits, `-`, `_` and `.` only, and need no escaping. */

/** What a request shows by this name. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

export interface CookieAttributes {
  path: string;
  /** Only pages of our own send it; or also whoever follows a link to us. */
  sameSite: 'Strict' | 'Lax';
  secure: boolean;
  /** Until when the browser keeps it. */
  until: { seconds: number } | { at: number };
}

/** A value of `Set-Cookie`. No script sees it. */
export function writeCookie(
  name: string,
  value: string,
  { path, until, sameSite, secure }: CookieAttributes,
) {
  const end = 'seconds' in until ? `Max-Age=${until.seconds}` : `Expires=${new Date(until.at).toUTCString()}`;
  const parts = [`${name}=${value}`, `Path=${path}`, end, 'HttpOnly', `SameSite=${sameSite}`];
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ');
}
