/** Who has read something before may ask whether it is still the same (ETag, If-None-Match), and gets no more than that for an answer. */
import etag from '@fastify/etag';
import fp from 'fastify-plugin';

export default fp(
  async (server) => {
    server.addHook('onSend', async (request, reply) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      // Nothing but what was read well is "not modified".
      if (!isRead || reply.statusCode !== 200) delete request.headers['if-none-match'];
      else if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache');
    });
    await server.register(etag, { weak: true });
  },
  { name: 'etags' },
);
