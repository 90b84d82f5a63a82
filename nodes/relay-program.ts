/**
 * What runs in a relay: it passes on byte by byte what comes to its address on one of its ports, to the endpoint of that port and
 * to no other. It is sent to its container as text, so it uses nothing but its arguments.
 */
import type * as Dgram from 'node:dgram';
import type * as Net from 'node:net';

/** A port of a host, by the host's name. */
export interface Endpoint {
  host: string;
  port: number;
}

export interface RelayTask {
  /** Where it listens: on the side of the node only. */
  address: string;
  endpoints: readonly Endpoint[];
}

/** How long nothing may have been said before it is asked whether the other side is still there. */
const KEEP_ALIVE_MS = 60_000;

function relay(
  net: typeof Net,
  dgram: typeof Dgram,
  { address, endpoints }: RelayTask,
  keepAliveMs: number,
): void {
  const options = { allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs, noDelay: true };
  const join = (from: Net.Socket, to: Net.Socket) => {
    from.pipe(to);
    from.on('error', () => to.resetAndDestroy());
  };
  for (const { host, port } of endpoints) {
    const server = net.createServer(options, (near) => {
      const far = net.connect({ ...options, host, port });
      join(near, far);
      join(far, near);
    });
    server.listen(port, address);
  }
  // Who asks for any other name is told at once that there is none, and need not wait until nobody has answered.
  const names = dgram.createSocket('udp4').bind(53, address);
  names.on('message', (query, { address: asker, port }) => {
    if (query.length < 12) return;
    const answer = Buffer.from(query);
    answer.writeUInt16BE((query.readUInt16BE(2) & 0x7900) | 0x8083, 2);
    names.send(answer, port, asker, () => undefined);
  });
}

/** The command of a container with Node.js that is the relay of this task. */
export const relayCommand = (task: RelayTask): string[] => [
  'node',
  '--max-old-space-size=32',
  '-e',
  `(${relay.toString()})(require('node:net'), require('node:dgram'), JSON.parse(process.argv[1]), ${KEEP_ALIVE_MS})`,
  JSON.stringify(task),
];
