/** What tells that something is still what somebody has looked at: the ETags of answers, as a change names them in `If-Match`. */

type Fetch = typeof globalThis.fetch;

export interface Tags {
  /** Remembers what passes. */
  fetch: Fetch;
  /** The tag of what was answered last at the path. */
  tagOf: (path: string) => string | undefined;
}

/** Remembers the ETags of what `fetch` brings. */
export function rememberTags(fetch: Fetch = globalThis.fetch): Tags {
  const tags = new Map<string, string>();
  return {
    fetch: async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const response = await fetch(input, init);
      const tag = response.headers.get('etag');
      if (tag !== null) tags.set(pathname, tag);
      return response;
    },
    tagOf: (path) => tags.get(path),
  };
}
