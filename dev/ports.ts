/** Ports of this machine that are free, and stay so until we listen on them. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { tryLock } from './lock';

/** Below the ports that systems give to outgoing connections, which would take them away again at any time. */
const ANY = { from: 10_000, to: 20_000 } as const;

/**
 * A port that is free on every one of `hosts` and is not in `except`: the first such of `preferred`, else any. Nobody
 * else who asks here gets it while this process lives: between finding a port and listening on it a second passes.
 */
export async function freePort(
  hosts: readonly string[],
  preferred: readonly number[] = [],
  except: readonly number[] = [],
): Promise<number> {
  const suits = async (port: number) =>
    !except.includes(port) && (await isFree(hosts, port)) && (await claim(port));
  for (const port of preferred) if (await suits(port)) return port;
  for (;;) {
    const port = randomInt(ANY.from, ANY.to);
    if (await suits(port)) return port;
  }
}

/** Whether the port is ours now, among all processes of this user. */
async function claim(port: number): Promise<boolean> {
  const lock = await tryLock(join(tmpdir(), `muster-ports-${userInfo().username}`, String(port)));
  return !('owner' in lock) || lock.owner.pid === process.pid;
}

/** Whether one could listen on the port at every one of `hosts` now; at port 0, whether the hosts are this machine's. */
export async function isFree(hosts: readonly string[], port: number): Promise<boolean> {
  for (const host of hosts) if (!(await canListen(host, port))) return false;
  return true;
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
