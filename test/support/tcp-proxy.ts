/**
 * A network that misbehaves, as one TCP address in front of another: it delays, breaks connections, is cut, or holds a
 * request half-way. What it carries it does not read.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';
/** As much as waits in one direction of a connection before its sender has to. */
const MOST_WAITING_BYTES = 2 ** 20;

/** Something that may be shut: who passes waits until it is open. */
class Gate {
  private opening: { opened: Promise<void>; open: () => void } | undefined;

  shut(): void {
    if (this.opening) return;
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.opening = { opened, open };
  }

  open(): void {
    this.opening?.open();
    this.opening = undefined;
  }

  async pass(): Promise<void> {
    while (this.opening) await this.opening.opened;
  }
}

interface Link {
  client: Socket;
  target: Socket;
}

export class TcpProxy {
  /** How much later everything arrives, each way. */
  delayMs = 0;
  private readonly line = new Gate();
  private readonly hold = new Gate();
  private holdAfter = Infinity;
  private readonly links = new Set<Link>();
  private readonly held = new Set<Link>();

  private constructor(private readonly server: Server) {}

  /** Listens at a free port and passes on to `port` of this machine. */
  static async open(port: number): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.join(client, port));
    server.listen(0, HOST);
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** Nothing arrives any more, either way, and nobody is told; connections stay. */
  cut(): void {
    this.line.shut();
  }

  /** What was on its way when the line was cut arrives now. */
  mend(): void {
    this.line.open();
  }

  /** Breaks a connection: the one at `pick` between 0 and 1. */
  reset(pick: number): void {
    const link = [...this.links][Math.floor(pick * this.links.size)];
    link?.client.resetAndDestroy();
    link?.target.resetAndDestroy();
  }

  /** From now on requests that are longer than so many bytes get stuck half-way, until {@link letGo}. */
  holdLong(bytes: number): void {
    this.holdAfter = bytes;
    this.hold.shut();
  }

  letGo(): void {
    this.holdAfter = Infinity;
    this.held.clear();
    this.hold.open();
  }

  /** How many connections are stuck. */
  get stuck(): number {
    return this.held.size;
  }

  async close(): Promise<void> {
    this.letGo();
    this.mend();
    for (const { client, target } of this.links) for (const socket of [client, target]) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, port: number): void {
    const target = connect({ port, host: HOST, allowHalfOpen: true });
    const link = { client, target };
    this.links.add(link);
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      // Whatever breaks one side is passed on to the other by its `close`.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.links.delete(link);
        this.held.delete(link);
      });
    }
    this.carry(client, target, (sent) => this.mayGo(link, sent));
    this.carry(target, client, () => this.line.pass());
  }

  private async mayGo(link: Link, sent: number): Promise<void> {
    await this.line.pass();
    if (sent <= this.holdAfter) return;
    this.held.add(link);
    await this.hold.pass();
  }

  /** What comes from one side goes to the other, in order, each piece once it may. */
  private carry(from: Socket, to: Socket, mayGo: (sent: number) => Promise<void>): void {
    let queue = Promise.resolve();
    let waiting = 0;
    let sent = 0;
    // An answer ends a request: short ones that follow one another on a connection are not a long one.
    to.on('data', () => (sent = 0));
    from.on('data', (piece) => {
      const due = performance.now() + this.delayMs;
      const total = (sent += piece.length);
      waiting += piece.length;
      if (waiting > MOST_WAITING_BYTES) from.pause();
      queue = queue.then(async () => {
        await sleep(Math.max(0, due - performance.now()));
        await mayGo(total);
        await write(to, piece);
        waiting -= piece.length;
        if (waiting <= MOST_WAITING_BYTES) from.resume();
      });
    });
    const afterwards = (last: () => void) => {
      queue = queue.then(() => this.line.pass()).then(last);
    };
    from.once('end', () => afterwards(() => to.end()));
    from.once('close', (broken) => afterwards(() => (broken ? to.resetAndDestroy() : to.destroySoon())));
  }
}

function write(to: Socket, piece: Buffer): Promise<void> {
  // Also called where the connection has broken meanwhile.
  return new Promise((resolve) => {
    to.write(piece, () => resolve());
  });
}
