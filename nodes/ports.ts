/**
 * Which federation ports of a central host belong to which launch. The ledger is a file, so a restarted worker
 * knows what it promised; one worker process writes it. What other workers of the machine promised is known by the
 * claims that all of them make (port-claims.ts).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LaunchId, RunId, type LaunchRef } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { errorCode } from './error-code';
import { createPortClaims, SHARED_CLAIMS, type PortClaims } from './port-claims';

/** Both ends belong to the range. */
export interface PortRange {
  first: number;
  last: number;
}

export interface Reservation extends LaunchRef {
  ports: number[];
}

export interface PortLedger {
  /**
   * `count` ports for a launch: those it already has, and free ones for the rest.
   * @throws ApplicationFailure `PortsExhausted`
   */
  reserve(ref: LaunchRef, count: number): Promise<number[]>;
  /** The ports of one launch become another's; answers which those are. Idempotent. */
  handOn(from: LaunchRef, to: LaunchRef): Promise<number[]>;
  /** Gives a launch's ports back. Idempotent. */
  release(ref: LaunchRef): Promise<void>;
  list(): Promise<Reservation[]>;
}

const Port = z.int().min(1).max(65535);
const Ledger = z.strictObject({
  reservations: z.array(z.strictObject({ runId: RunId, launchId: LaunchId, ports: z.array(Port) })),
  /** The port handed out last. The search goes on behind it, so that a port rests before it is used again. */
  latest: Port.optional(),
});
type Ledger = z.output<typeof Ledger>;

export interface PortLedgerOptions {
  file: string;
  range: PortRange;
  /** Folder of the claims of all ledgers that hand out ports of this machine. */
  claims?: string;
}

/** A ledger kept in `file`, handing out ports of `range` that nobody else on this host was promised or listens on. */
export function createPortLedger({ file, range, claims = SHARED_CLAIMS }: PortLedgerOptions): PortLedger {
  const claimed = createPortClaims(claims, file, isReserved);
  let queue: Promise<unknown> = Promise.resolve();
  /** One change at a time: what one call reads, no other call has half written. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  }

  return {
    reserve: (ref, count) =>
      inTurn(async () => {
        const ledger = await read(file);
        const held = ledger.reservations.find((one) => isSame(one, ref))?.ports ?? [];
        if (held.length >= count) return held.slice(0, count);
        const ports = [...held, ...(await findFree(ledger, range, claimed, count - held.length))];
        const others = ledger.reservations.filter((one) => !isSame(one, ref));
        const { runId, launchId } = ref;
        await write(file, { reservations: [...others, { runId, launchId, ports }], latest: ports.at(-1) });
        return ports;
      }),
    handOn: (from, { runId, launchId }) =>
      inTurn(async () => {
        const { reservations, latest } = await read(file);
        const held = reservations.find((one) => isSame(one, from));
        if (held === undefined)
          return reservations.find((one) => isSame(one, { runId, launchId }))?.ports ?? [];
        const { ports } = held;
        const others = reservations.filter((one) => one !== held);
        await write(file, { reservations: [...others, { runId, launchId, ports }], latest });
        return ports;
      }),
    release: (ref) =>
      inTurn(async () => {
        const { reservations, latest } = await read(file);
        const own = reservations.find((one) => isSame(one, ref));
        if (own === undefined) return;
        // Claims first: one that the ledger no longer backs could be another's by the time it is dropped.
        await Promise.all(own.ports.map((port) => claimed.drop(port)));
        await write(file, { reservations: reservations.filter((one) => one !== own), latest });
      }),
    list: () => inTurn(async () => (await read(file)).reservations),
  };
}

const isSame = (a: LaunchRef, b: LaunchRef) => a.runId === b.runId && a.launchId === b.launchId;

async function findFree(
  { reservations, latest }: Ledger,
  range: PortRange,
  claimed: PortClaims,
  count: number,
): Promise<number[]> {
  const taken = new Set(reservations.flatMap(({ ports }) => ports));
  const size = range.last - range.first + 1;
  const start = latest === undefined ? 0 : latest - range.first + 1;
  const free: number[] = [];
  for (let step = 0; step < size && free.length < count; step++) {
    const port = range.first + ((((start + step) % size) + size) % size);
    // Only what is claimed is tried: to try a port is to listen on it for a moment, when its rightful node may want to.
    if (taken.has(port) || !(await claimed.take(port))) continue;
    if (await canListen(port)) free.push(port);
    else await claimed.drop(port);
  }
  if (free.length === count) return free;
  await Promise.all(free.map((port) => claimed.drop(port)));
  throw failure(
    'PortsExhausted',
    `No ${count} free ports between ${range.first} and ${range.last}: ${taken.size} are reserved by ` +
      `${reservations.length} launches, and the rest is taken by others on this host.`,
  );
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first of `ports` on which something listens already. It is asked by connecting, which is in nobody's way. */
export async function findTaken(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) if (await answers(port)) return port;
  return undefined;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });
}

/** Whether the ledger in `file` has reserved a port; `undefined` where it cannot be read. */
async function isReserved(file: string, port: number): Promise<boolean | undefined> {
  const ledger = await read(file).catch(() => undefined);
  return ledger?.reservations.some(({ ports }) => ports.includes(port));
}

async function read(file: string): Promise<Ledger> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '{"reservations":[]}';
    throw error;
  });
  try {
    return Ledger.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`The port ledger ${file} is damaged. Remove it once no run is live on this host.`, {
      cause,
    });
  }
}

async function write(file: string, ledger: Ledger): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(ledger));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
