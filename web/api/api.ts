/** The central API as the page calls it: as whoever is signed in in this browser. */
import { rememberTags } from '../../client/etags';
import { createMusterApi } from '../../client/muster-api';
import { learnTime } from '../live/clock';

let refused = () => {};
/** `listener` is called when the API answers that it does not know who asks. */
export function onRefused(listener: () => void): void {
  refused = listener;
}

const { fetch: send, tagOf } = rememberTags(async (input, init) => {
  const response = await fetch(input, { ...init, cache: 'no-store' });
  learnTime(response.headers.get('date'));
  if (response.status === 401) refused();
  return response;
});
/** The tag of what was answered last at the path: it changes with what is there. */
export { tagOf };

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
