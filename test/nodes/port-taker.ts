/**
 * A central worker for tests, as far as ports go: reserves for many launches at once, listens as their nodes would, and
 * says what it got. At a word on its standard input it ends the nodes and releases the launches.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createPortLedger, type PortLedgerOptions } from '../../nodes/ports';

interface Order extends Required<PortLedgerOptions> {
  launches: string[];
  portsEach: number;
}

async function main(): Promise<void> {
  const { launches, portsEach, ...options } = JSON.parse(process.argv[1]!) as Order;
  const ledger = createPortLedger(options);
  const refs = launches.map((launchId) => ({ runId: 'many', launchId }));
  const nodes = await Promise.all(
    refs.map(async (ref) => {
      const ports = await ledger.reserve(ref, portsEach);
      return Promise.all(ports.map(listen));
    }),
  );
  process.stdout.write(`${JSON.stringify(nodes.map((servers) => servers.map(portOf)))}\n`);
  await once(process.stdin, 'data');
  for (const server of nodes.flat()) server.close();
  await Promise.all(refs.map((ref) => ledger.release(ref)));
  process.exit(0);
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '0.0.0.0');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

void main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
