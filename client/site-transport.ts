/** How a site speaks with the API: by TLS, trusting one authority only, with its certificate, and through a proxy if need be. */
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

function transportOf(
  url: string,
  tls: TlsMaterial | { rejectUnauthorized: false },
  env: Readonly<Record<string, string | undefined>>,
): Transport {
  const { hostname, port } = new URL(url);
  const proxy = proxyFor(hostname, Number(port || '443'), env);
  const dispatcher: Dispatcher =
    proxy === undefined ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy.href, requestTls: tls });
  return {
    fetch: (address, init) => fetch(address, { ...init, dispatcher }),
    close: () => dispatcher.close(),
  };
}
