/** The page that people use: static files, and the same document for every address that the page itself tells apart. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import staticFiles from '@fastify/static';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { PAGE_ADDRESSES } from '../../workflows/page-addresses';
import { contentPolicy } from './security-headers';

const POLICY = contentPolicy({
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'connect-src': ["'self'"],
});

/** All of them, as routes; the first page is a file of that folder already. */
const ADDRESSES = Object.values(PAGE_ADDRESSES)
  .filter((address) => address !== PAGE_ADDRESSES.home)
  .map((address) => address.replace(/\$\w+/, '*'));

/** `folder`: where the built page is. */
export default fp<{ folder: string }>(
  async (server, { folder }) => {
    // Who mistypes an address is told by the page, which leads on; a program is told by a problem.
    server.addHook('onRequest', async (request, reply) => {
      if (!request.is404 || !isOpened(request)) return;
      await reply
        .code(404)
        .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
        .type('text/html; charset=utf-8')
        .send(await readFile(join(folder, 'index.html'), 'utf8'));
    });
    await server.register(async (scope) => {
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('content-security-policy', POLICY);
      });
      // Each file becomes a route of its own, so whatever is not there is a 404 like any other.
      await scope.register(staticFiles, {
        root: folder,
        wildcard: false,
        schemaHide: true,
        cacheControl: false,
        setHeaders: (reply, path) => void reply.header('cache-control', caching(path)),
      });
      for (const address of ADDRESSES)
        scope.get(address, { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html'));
    });
  },
  { name: 'page' },
);

/** Whether somebody opens an address in a browser, and none of the API's. */
const isOpened = ({ method, url, headers }: FastifyRequest) =>
  method === 'GET' && !url.startsWith('/api/') && headers.accept?.includes('text/html') === true;

/** What has a hash in its name never changes; the document, which names those, is asked for every time. */
const caching = (path: string) =>
  /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
