import fastify from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { listen } from '../../server/listen';

test('a connection on which nothing was asked does not hold the end up', async () => {
  const server = fastify();
  const [address = ''] = await listen(server, { hosts: ['127.0.0.1'], port: 0 });
  const connected = once(server.server, 'connection');
  const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => undefined);
  await connected;
  await server.close();
  await once(socket, 'close');
});
