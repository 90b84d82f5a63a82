/** Listens on several addresses: Fastify itself takes one, the others share its routes. */
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerConfig } from './config';

/** To be called once, before the server listens. Answers the addresses. All of them close with the server. */
export async function listen(
  server: FastifyInstance,
  { hosts, port }: Pick<ServerConfig, 'hosts' | 'port'>,
): Promise<string[]> {
  const [first, ...others] = hosts;
  const more = others.map((host) => ({
    host,
    http: createServer((request, response) => server.routing(request, response)),
  }));
  const silent = [server.server, ...more.map(({ http }) => http)].map(silentConnections);
  server.addHook('preClose', (closed) => {
    for (const { http } of more) http.close();
    for (const sockets of silent) for (const socket of sockets) socket.destroy();
    closed();
  });
  const addresses = [await server.listen({ ...(first !== undefined && { host: first }), port })];
  for (const { host, http } of more) {
    http.listen({ host, port });
    await once(http, 'listening');
    addresses.push(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
  return addresses;
}

/**
 * The connections on which nothing was asked yet, as browsers and others open them in advance. Node takes them for busy,
 * so that they would hold the server's end up.
 */
function silentConnections(http: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  http.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  http.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}
