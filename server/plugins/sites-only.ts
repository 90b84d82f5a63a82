/** What sites find behind their own door: the routes that are for them, and nothing else that this server has. */
import fp from 'fastify-plugin';
import { cameThroughSiteDoor } from '../identity/site-door';
import { plainProblem } from '../problem';
import { sendProblem } from './problems';

export default fp(
  (server, _options, done) => {
    server.addHook('onRequest', async (request, reply) => {
      if (!cameThroughSiteDoor(request.raw) || request.is404) return;
      const { roles = [], forBrowsers = false } = request.routeOptions.config;
      if (!forBrowsers && (roles === 'anyone' || roles.includes('site'))) return;
      const [path = ''] = request.url.split('?');
      return sendProblem(reply, plainProblem(404, `There is nothing for sites at ${path}.`));
    });
    done();
  },
  { name: 'sites-only', dependencies: ['problems'] },
);
