/** Signing in as a browser does, for as long as a command takes. */
import { createMusterApi, type MusterApi } from '../client';

/** The API at `url`, to be signed in at: cookies are kept as a browser at that address would keep them. */
export const openAsBrowser = (url: string): MusterApi => createMusterApi({ url, fetch: fetchWithCookies() });

function fetchWithCookies(): typeof globalThis.fetch {
  let cookie = '';
  return async (input, init) => {
    const request = new Request(input, init);
    request.headers.set('sec-fetch-site', 'same-origin');
    if (cookie !== '') request.headers.set('cookie', cookie);
    const response = await fetch(request);
    const set = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
    if (set.length > 0) cookie = set.join('; ');
    return response;
  };
}
