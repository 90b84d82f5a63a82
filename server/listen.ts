/** Listens on several addresses: Fastify itself takes one, the others share its routes. */
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { ServerConfig } from './config';

/** Addresses beside the first ones, with a server for each. */
export interface MoreAddresses extends Pick<ServerConfig, 'hosts' | 'port'> {
  create: () => HttpsServer;
}

/** To be called once, before the server listens. Answers the addresses. All of them close with the server. */
export async function listen(
  server: FastifyInstance,
  { hosts, port }: Pick<ServerConfig, 'hosts' | 'port'>,
  beside?: MoreAddresses,
): Promise<string[]> {
  const [first, ...others] = hosts;
  const again = () => createServer((request, response) => server.routing(request, response));
  const more = [
    ...others.map((host) => ({ host, port, scheme: 'http', http: again() })),
    ...(beside?.hosts.map((host) => ({
      ...{ host, port: beside.port, scheme: 'https', http: beside.create() },
    })) ?? []),
  ];
  // Callers use a connection for as long as they are told it is kept. Node would keep it for 5 s, and sites speak less often.
  for (const { http } of more) http.keepAliveTimeout = server.server.keepAliveTimeout;
  const silent = [server.server, ...more.map(({ http }) => http)].map(silentConnections);
  server.addHook('preClose', (closed) => {
    for (const { http } of more) http.close();
    for (const sockets of silent) for (const socket of sockets.values()) socket.destroy();
    closed();
  });
  const addresses = [await server.listen({ ...(first !== undefined && { host: first }), port })];
  for (const { host, port: its, scheme, http } of more) {
    http.listen({ host, port: its });
    await once(http, 'listening');
    addresses.push(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${portOf(http)}`);
  }
  return addresses;
}

function portOf(http: Server | HttpsServer): number {
  const address = http.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/**
 * The connections on which nothing was asked yet, as browsers and others open them in advance. Node takes them for busy,
 * so that they would hold the server's end up. They are known by where they come from: below TLS a connection is another
 * object than above.
 */
function silentConnections(http: Server | HttpsServer): ReadonlyMap<string, Socket> {
  const silent = new Map<string, Socket>();
  http.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    silent.set(peer, socket);
    socket.once('close', () => silent.delete(peer));
  });
  http.on('request', ({ socket }) => silent.delete(peerOf(socket)));
  return silent;
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress ?? ''} ${remotePort ?? ''}`;
