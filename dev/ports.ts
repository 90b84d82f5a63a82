/** Ports of this machine that are free. */
import { createServer } from 'node:net';

/** A port that is free on every one of `hosts` and is not in `except`: the first such of `preferred`, else any. */
export async function freePort(
  hosts: readonly string[],
  preferred: readonly number[] = [],
  except: readonly number[] = [],
): Promise<number> {
  const suits = async (port: number) => !except.includes(port) && (await isFree(hosts, port));
  for (const port of preferred) if (await suits(port)) return port;
  for (;;) {
    const port = await tryListen(hosts[0] ?? '127.0.0.1', 0);
    if (port !== undefined && (await suits(port))) return port;
  }
}

/** Whether one could listen on the port at every one of `hosts` now. */
export async function isFree(hosts: readonly string[], port: number): Promise<boolean> {
  for (const host of hosts) if ((await tryListen(host, port)) === undefined) return false;
  return true;
}

/** Listens for a moment; the port, or `undefined` where it is taken. Port 0 is any port. */
function tryListen(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
