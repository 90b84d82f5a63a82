/** Which HTTP proxy the environment names for an address, by the variables that other programs go by as well. */

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting of the environment that cannot be used. */
export class ProxyError extends Error {}

/**
 * The proxy through which connections to the address are to be opened; `undefined` if none. A name is read in lower
 * case first.
 * @throws ProxyError
 */
export function proxyFor(host: string, port: number, env: Environment): URL | undefined {
  const proxy = env.https_proxy ?? env.HTTPS_PROXY ?? '';
  if (proxy === '' || isExempt(host, port, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined;
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // A password may be in it, so it is not repeated.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new ProxyError('HTTPS_PROXY is not an address such as http://proxy.example.org:3128.');
  return url;
}

/** `example.org` and `.example.org` stand for the host and all below it, `*` for every host; a port narrows it down. */
function isExempt(host: string, port: number, list: string): boolean {
  const name = bare(host);
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, pattern = '', only] = /^(.*?)(?::(\d+))?$/.exec(ipv6(entry)) ?? [];
    const suffix = bare(pattern).replace(/^\*?\./, '');
    if (suffix === '' || (only !== undefined && Number(only) !== port)) return false;
    return name === suffix || name.endsWith(`.${suffix}`);
  });
}

/** A bare IPv6 address in brackets, so that its last part is not taken for a port. */
const ipv6 = (entry: string) => (/^[^[\]]*:[^[\]]*:[^[\]]*$/.test(entry) ? `[${entry}]` : entry);
const bare = (host: string) =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
