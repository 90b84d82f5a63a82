/** Access tokens of operators, workers and nodes: JWTs signed with the API's secret (HS256), whose claims are AccessClaims. None is kept. */
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { createSecretKey } from 'node:crypto';
import { AccessClaims, TOKEN_KINDS } from '../workflows/api-contract';
import type { Person } from './access';
import { HttpProblem } from './problem';

type NodeClaims = Extract<AccessClaims, { role: 'node' }>;

/**
 * A node's token is good only while its launch is the current one and the node has not ended, so this need only outlast
 * the longest run.
 */
const NODE_TOKEN_LIFETIME = '30d';

export const CODEC_PASS_SECONDS = 12 * 60 * 60;
/** A kind of its own: it is no access token. */
const CODEC_PASS = 'muster-codec+jwt';

/** As long as a name may be in a run. */
const MAX_NAME = 120;

export interface Tokens {
  /** Who bears the token, and until when it is good. @throws HttpProblem `unauthenticated` */
  verify(token: string): Promise<{ claims: AccessClaims; until: number }>;
  /** A token by which a node may report on itself. */
  forNode(node: Omit<NodeClaims, 'role' | 'sub'>): Promise<string>;
  /** By which an admin's browser may have histories opened; an access token it is not. */
  codecPass(admin: Bearer): Promise<string>;
  /**
   * Whose pass it is.
   * @throws HttpProblem `unauthenticated`
   */
  verifyCodecPass(pass: string): Promise<Bearer>;
}

/** A person, by whom nobody else is meant, and what they are called. */
type Bearer = Pick<Person, 'id' | 'sub'>;

export function createTokens(secret: string): Tokens {
  const key = createSecretKey(Buffer.from(secret));
  const read = (token: string) => jwtVerify(token, key, { algorithms: ['HS256'] }).catch(refuse);
  const sign = (
    claims: JWTPayload,
    { typ, subject, lifetime }: { typ: string; subject: string; lifetime: string },
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ })
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .sign(key);

  return {
    async verify(token) {
      const { payload, protectedHeader } = await read(token);
      const claims = AccessClaims.safeParse(payload);
      if (!claims.success)
        throw unauthenticated('The access token does not say what its bearer may do (role, sub).');
      const { sub, role } = claims.data;
      if (protectedHeader.typ !== TOKEN_KINDS[role])
        throw unauthenticated(`The access token is not of the kind that is for ${role}: get a new one.`);
      if (sub === '' || sub.length > MAX_NAME)
        throw unauthenticated('The access token does not name its bearer.');
      return { claims: claims.data, until: (payload.exp ?? Infinity) * 1_000 };
    },
    forNode: (node) =>
      sign(
        { ...node, role: 'node' },
        { typ: TOKEN_KINDS.node, subject: `${node.runId}/${node.node}`, lifetime: NODE_TOKEN_LIFETIME },
      ),
    codecPass: ({ id, sub }) =>
      sign({ id }, { typ: CODEC_PASS, subject: sub, lifetime: `${CODEC_PASS_SECONDS}s` }),
    async verifyCodecPass(pass) {
      const { payload, protectedHeader } = await read(pass);
      const { sub = '', id } = payload;
      if (protectedHeader.typ !== CODEC_PASS || sub === '' || typeof id !== 'string')
        throw unauthenticated('The cookie is not one that opens histories.');
      return { id, sub };
    },
  };
}

/**
 * What `Authorization` brings.
 * @throws HttpProblem `unauthenticated`
 */
export function bearerOf(authorization: string | undefined): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw unauthenticated('Send `Authorization: Bearer <access token>`.');
}

function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw unauthenticated('The access token has expired: get a new one.');
  if (error instanceof errors.JOSEError)
    throw unauthenticated(`The access token is not valid: ${error.message}.`);
  throw error;
}

function unauthenticated(detail: string): HttpProblem {
  return new HttpProblem('unauthenticated', detail);
}
