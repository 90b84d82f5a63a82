/**
 * Who was promised a port, among all central workers of this machine: several may hand out ports of the same range, and
 * between a promise and the node that listens on the port lie the making of the kits and their delivery. A claim is one
 * file for each port, made exclusively, in a folder that all users share.
 */
import { chmod, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from './error-code';

/** The same for every process of the machine, whatever its user takes for its temporary folder. */
export const SHARED_CLAIMS = '/tmp/muster-ports';

/** A claim is written down in its ledger in less; one that is older and is not there was left by a worker that died. */
const SETTLED_MS = 60_000;
const LOCK = '\0muster-ports';
const LOCK_RETRY_MS = 20;
const LOCK_WAIT_MS = 10_000;

const Claim = z.object({ ledger: z.string() });
interface Found {
  /** Absent: whoever made the file died in the act. */
  ledger: string | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface PortClaims {
  /** Whether the port is the ledger's now. */
  take(port: number): Promise<boolean>;
  /** Gives a port back, if it is the ledger's. To be called before the ledger forgets it. */
  drop(port: number): Promise<void>;
}

/**
 * Claims in `folder` on behalf of the ledger in the file `ledger`.
 * @param isReserved whether the ledger in a file has reserved a port; `undefined` where that cannot be seen
 */
export function createPortClaims(
  folder: string,
  ledger: string,
  isReserved: (ledger: string, port: number) => Promise<boolean | undefined>,
): PortClaims {
  const fileOf = (port: number) => join(folder, String(port));

  async function make(port: number): Promise<boolean> {
    try {
      const file = await open(fileOf(port), 'wx', 0o600);
      await file
        .writeFile(JSON.stringify({ ledger } satisfies z.output<typeof Claim>))
        .finally(() => file.close());
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      if (!isNotPermitted(error)) throw error;
      const advice = `let every user of this machine write there (chmod 1777 ${folder})`;
      throw new Error(`No ports can be claimed in ${folder}: ${advice}.`, { cause: error });
    }
  }

  /** A claim that nobody stands by any more: its worker died, or its state folder was deleted. */
  async function isAbandoned(port: number): Promise<boolean> {
    const claim = await readClaim(fileOf(port));
    if (claim === undefined) return false;
    if (claim.ledger !== ledger && Date.now() - claim.at < SETTLED_MS) return false;
    return claim.ledger === undefined || (await isReserved(claim.ledger, port)) === false;
  }

  async function remove(port: number): Promise<boolean> {
    try {
      await rm(fileOf(port), { force: true });
      return true;
    } catch (error) {
      // It belongs to another user.
      if (isNotPermitted(error)) return false;
      throw error;
    }
  }

  return {
    async take(port) {
      await openFolder(folder);
      if (await make(port)) return true;
      if (!(await isAbandoned(port))) return false;
      // Of several that find it abandoned, none may remove what a faster one has claimed since.
      return alone(async () => (await isAbandoned(port)) && (await remove(port)) && make(port));
    },
    async drop(port) {
      if ((await readClaim(fileOf(port)))?.ledger === ledger) await remove(port);
    },
  };
}

const isNotPermitted = (error: unknown) => ['EPERM', 'EACCES'].includes(errorCode(error) ?? '');

async function openFolder(folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true })) === undefined) return;
  // Not narrowed by the umask: every user adds to it, and removes nothing but their own.
  await chmod(folder, 0o1777);
}

/** `undefined`: there is none, or it is another user's and nobody else's business. */
async function readClaim(file: string): Promise<Found | undefined> {
  try {
    const { mtimeMs: at } = await stat(file);
    return { ledger: parse(await readFile(file, 'utf8')), at };
  } catch {
    return undefined;
  }
}

function parse(text: string): string | undefined {
  try {
    return Claim.parse(JSON.parse(text)).ledger;
  } catch {
    return undefined;
  }
}

/**
 * Does something while no other process of this machine does. An abstract socket is a lock that needs no file, belongs
 * to the same network as the ports, and is free again however its owner ends. Only Linux has them.
 */
async function alone<T>(action: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return action();
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = await listen();
    if (lock !== undefined) return action().finally(() => lock.close());
    if (Date.now() > deadline) throw new Error('Another process has been claiming ports for too long.');
    await sleep(LOCK_RETRY_MS);
  }
}

function listen() {
  return new Promise<ReturnType<typeof createServer> | undefined>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined)).listen(LOCK, () => resolve(server));
  });
}
