/** Listens on several addresses: Fastify itself takes one, the others share its routes. */
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createServer } from 'node:http';
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
  server.addHook('preClose', (closed) => {
    for (const { http } of more) http.close();
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
