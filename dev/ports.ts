/** Ports of this machine that are free, and stay so until we listen on them. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
    const port = await tryListen(hosts[0] ?? '127.0.0.1', 0);
    if (port !== undefined && (await suits(port))) return port;
  }
}

/** Whether the port is now ours. A claim is a file with the pid of whoever made it; that of a dead process is void. */
async function claim(port: number): Promise<boolean> {
  const file = join(tmpdir(), `muster-port-${port}`);
  const write = () =>
    writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 }).then(
      () => true,
      () => false,
    );
  if (await write()) return true;
  const owner = Number(await readFile(file, 'utf8').catch(() => ''));
  if (owner === process.pid) return true;
  if (isAlive(owner)) return false;
  await rm(file, { force: true }).catch(() => undefined);
  return write();
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
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
