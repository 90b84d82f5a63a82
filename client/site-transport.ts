/**
 * How a site speaks with the API: by TLS, trusting one authority only, with its certificate, and through a proxy if need be.
 * And how kits are fetched, from an object store that may be anybody's.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, fetch, ProxyAgent, type Dispatcher } from 'undici';
import type { Fetch } from './central-api';
import { proxyFor } from './proxy';

export interface TlsMaterial {
  /** What the server has to be certified by, PEM. */
  ca: string;
  /** The site's own, PEM. */
  cert?: string;
  key?: string;
}

export interface Transport {
  readonly fetch: Fetch;
  /** Calls under way end before it does. */
  readonly close: () => Promise<void>;
}

/**
 * As many connections as a browser opens to one host; further calls take turns on them. A server takes in one connection in
 * each turn of its loop: where all sites open one for each call of each run, a busy server lets some wait for too long.
 */
const MOST_CONNECTIONS = 6;

/** For calls to the server at `url` and no other. */
export function createTransport(
  url: string,
  tls: TlsMaterial,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Transport {
  return transportOf(url, tls, env);
}

/** Whoever answers is trusted with nothing: for what is public, and checked once it is here. */
export function createUncheckedTransport(
  url: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Transport {
  return transportOf(url, { rejectUnauthorized: false }, env);
}

/**
 * For the object store, at whatever address kits are given out by. It may be certified by what this machine trusts, or by
 * `ca` (PEM). Each call has a connection of its own: they are few, and large.
 */
export function createStoreFetch(
  ca: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Fetch {
  return async (url, init) => {
    const transport = transportOf(url, { secureContext: trustingAlso(ca) }, env);
    try {
      return await transport.fetch(url, init);
    } finally {
      // What is under way, such as the body of the answer, ends first.
      transport.close().catch(() => undefined);
    }
  };
}

function trustingAlso(ca: string | undefined): SecureContext {
  const context = createSecureContext();
  // The option `ca` would take the place of what the machine trusts.
  if (ca !== undefined) (context.context as { addCACert(pem: string): void }).addCACert(ca);
  return context;
}

function transportOf(
  url: string,
  tls: TlsMaterial | { rejectUnauthorized: false } | { secureContext: SecureContext },
  env: Readonly<Record<string, string | undefined>>,
): Transport {
  const { hostname, port, protocol } = new URL(url);
  const proxy = proxyFor(hostname, Number(port || (protocol === 'https:' ? '443' : '80')), env);
  const connections = MOST_CONNECTIONS;
  const dispatcher: Dispatcher =
    proxy === undefined
      ? new Agent({ connect: tls, connections })
      : new ProxyAgent({ uri: proxy.href, requestTls: tls, connections });
  return {
    fetch: (address, init) => fetch(address, { ...init, dispatcher }),
    close: () => dispatcher.close(),
  };
}
