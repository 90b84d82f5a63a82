/** The least that an answer takes: a route of Fastify that does nothing. Tells its parent where it is. */
import fastify from 'fastify';

const server = fastify();
server.get('/', () => ({ hello: 'world' }));
void server.listen({ host: '127.0.0.1', port: 0 }).then((url) => process.send?.(url));
