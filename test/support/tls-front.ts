/** TLS in front of a server that has none: where an authority is named, who shows no certificate of it does not get through. */
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Certified } from './certificates';

export interface TlsFront {
  /** host:port */
  readonly address: string;
  /** Serial numbers of the certificates that were shown, one for each connection, in lower case. */
  readonly shown: string[];
  close(): Promise<void>;
}

/** @param ca what certifies those who may come in; without it, anybody may */
export async function startTlsFront(target: string, server: Certified, ca?: string): Promise<TlsFront> {
  const shown: string[] = [];
  const sockets = new Set<Socket>();
  const [host = '', port = ''] = target.split(':');
  const asked = ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true };
  const options = { ...server, ...asked, ALPNProtocols: ['h2'] };
  const front = createServer(options, (client: TLSSocket) => {
    shown.push(client.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '');
    const behind = connect(Number(port), host);
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  front.on('tlsClientError', () => undefined);
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    address: `127.0.0.1:${(front.address() as AddressInfo).port}`,
    shown,
    async close() {
      for (const socket of sockets) socket.destroy();
      front.close();
      await once(front, 'close');
    },
  };
}
