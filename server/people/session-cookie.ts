/**
 * The cookie that a browser shows for its session. A browser adds it by itself, whoever made the page that asks: so what changes
 * anything has to come from a page of our own, as the browser says.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access';
import { readCookie, writeCookie } from '../cookies';
import { HttpProblem } from '../problem';
import type { NewSession, Owner, Sessions } from './sessions';

const COOKIE = 'muster_session';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface SessionCookie {
  /** Who is signed in there. @throws HttpProblem `forbidden` where another page would change something by it */
  read(request: FastifyRequest, isUse?: boolean): Promise<Person | undefined>;
  /** Signs somebody in. @throws HttpProblem `forbidden` where another page asks for it */
  signIn(owner: Owner, request: FastifyRequest, reply: FastifyReply): Promise<Person>;
  clear(reply: FastifyReply): void;
}

export function createSessionCookie({
  sessions,
  publicUrl,
}: {
  sessions: Sessions;
  /** How people reach the API. */
  publicUrl: string;
}): SessionCookie {
  const { origin, protocol } = new URL(publicUrl);
  const attributes = {
    ...{ path: '/', sameSite: 'Lax' as const },
    // Without TLS, as on the machine of who develops, a browser would not send it back.
    secure: protocol === 'https:',
  };

  /** Whether the browser says that a page of our own asks; `undefined`: it says nothing. */
  function isOwnPage({ headers }: FastifyRequest): boolean | undefined {
    const site = headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin';
    return headers.origin === undefined ? undefined : headers.origin === origin;
  }

  function set(reply: FastifyReply, { secret, expiresAt }: NewSession): void {
    reply.header('set-cookie', writeCookie(COOKIE, secret, { ...attributes, until: { at: expiresAt } }));
  }

  return {
    async read(request, isUse = true) {
      const secret = readCookie(request.headers.cookie, COOKIE);
      if (secret === undefined) return undefined;
      if (!SAFE.has(request.method) && isOwnPage(request) !== true) throw foreign();
      return sessions.verify(secret, isUse);
    },
    async signIn(owner, request, reply) {
      // Who comes back from the OpenID provider comes from elsewhere, and has shown that they began it here.
      if (!SAFE.has(request.method) && isOwnPage(request) === false) throw foreign();
      const before = readCookie(request.headers.cookie, COOKIE);
      const made = await sessions.create(owner, {
        address: request.ip,
        agent: request.headers['user-agent'] ?? '',
      });
      // The browser forgets it, and nobody else is to know it.
      const replaced = before === undefined ? undefined : await sessions.verify(before);
      if (replaced?.sessionId !== undefined) await sessions.end(replaced, replaced.sessionId);
      set(reply, made);
      const person = await sessions.verify(made.secret);
      if (person === undefined) throw new HttpProblem('unauthenticated', 'The account is disabled.');
      return person;
    },
    clear: (reply) =>
      void reply.header('set-cookie', writeCookie(COOKIE, '', { ...attributes, until: { seconds: 0 } })),
  };
}

const foreign = () =>
  new HttpProblem('forbidden', 'A page at another address may not change anything here by your session.');
