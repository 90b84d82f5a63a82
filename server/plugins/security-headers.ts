/** What a browser may do with an answer: by default nothing at all. Pages say what they need. */
import fp from 'fastify-plugin';

/** A Content-Security-Policy that allows what `directives` say and nothing else. */
export function contentPolicy(directives: Readonly<Record<string, readonly string[]>>): string {
  const all = {
    'default-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
    ...directives,
  };
  return Object.entries(all)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

export default fp(
  (server, _options, done) => {
    server.addHook('onRequest', async (_request, reply) => {
      reply.headers({
        'content-security-policy': contentPolicy({}),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
    });
    done();
  },
  { name: 'security-headers' },
);
