import fastify from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { listen } from '../../server/listen';
import { createTestAuthority } from '../support/certificates';

test('a connection on which nothing was asked does not hold the end up', async () => {
  const server = fastify();
  const [address = ''] = await listen(server, { hosts: ['127.0.0.1'], port: 0 });
  const connected = once(server.server, 'connection');
  const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => undefined);
  await connected;
  await server.close();
  await once(socket, 'close');
});

test('with TLS, connections on which nothing was asked do not hold the end up, and requests under way are answered', async () => {
  const { cert, key } = await (await createTestAuthority()).issueServer();
  const server = fastify();
  const asked = once(server.server, 'asked');
  let answer: () => void = () => undefined;
  server.get('/', () => {
    server.server.emit('asked');
    return new Promise((resolve) => (answer = () => resolve('here')));
  });
  const create = () => createServer({ cert, key }, (...both) => server.routing(...both));
  const addresses = await listen(
    server,
    { hosts: ['127.0.0.1'], port: 0 },
    { hosts: ['127.0.0.1'], port: 0, create },
  );
  const port = Number(new URL(addresses[1] ?? '').port);
  expect(addresses[1]).toBe(`https://127.0.0.1:${port}`);

  const raw = connect(port, '127.0.0.1').on('error', () => undefined);
  const silent = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on(
    'error',
    () => undefined,
  );
  await Promise.all([once(raw, 'connect'), once(silent, 'secureConnect')]);
  const call = request({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: new Agent() }).end();
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  await asked;
  const closed = server.close();
  await Promise.all([once(raw, 'close'), once(silent, 'close')]);
  answer();
  const [response] = await answered;
  expect(response.statusCode).toBe(200);
  response.resume();
  await closed;
});

test('at each address a connection is kept as long as at the first', async () => {
  const { cert, key } = await (await createTestAuthority()).issueServer();
  const server = fastify({ keepAliveTimeout: 34_000 });
  server.get('/', () => 'here');
  const create = () => createServer({ cert, key }, (...both) => server.routing(...both));
  const addresses = await listen(
    server,
    { hosts: ['127.0.0.1', '127.0.0.2'], port: 0 },
    { hosts: ['127.0.0.1'], port: 0, create },
  );
  const kept = await Promise.all(
    addresses.map(async (address) => {
      const ask = address.startsWith('https:') ? request : requestPlain;
      const headers = { connection: 'keep-alive' };
      const call = ask(address, { rejectUnauthorized: false, agent: false, headers }).end();
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      call.destroy();
      return response.headers['keep-alive'];
    }),
  );
  expect(kept).toEqual(['timeout=34', 'timeout=34', 'timeout=34']);
  await server.close();
});
