/** The central API as the page calls it: as whoever is signed in in this browser. */
import { createMusterApi } from '../../client/muster-api';
import { learnTime } from '../live/clock';

let refused = () => {};
/** `listener` is called when the API answers that it does not know who asks. */
export function onRefused(listener: () => void): void {
  refused = listener;
}

const tags = new Map<string, string>();
/** The tag of what was answered last at the path: it changes with what is there. */
export const tagOf = (path: string): string | undefined => tags.get(path);

/** Every call of the page goes through here. */
async function send(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, cache: 'no-store' });
  learnTime(response.headers.get('date'));
  if (response.status === 401) refused();
  const tag = response.headers.get('etag');
  if (tag !== null) tags.set(new URL(response.url).pathname, tag);
  return response;
}

export const api = createMusterApi({ url: '', fetch: send });

/** A part of an address. */
export const segment = encodeURIComponent;

/** A key that no two wishes share, for calls that are to be done once however often they are sent. */
export function randomKey(): string {
  // Not randomUUID: browsers withhold it from pages that are not served over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
