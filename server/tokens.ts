/** Access tokens: JWTs signed with the API's secret (HS256), whose claims are AccessClaims. None is kept. */
import { errors, jwtVerify, SignJWT } from 'jose';
import { createSecretKey } from 'node:crypto';
import { AccessClaims, TOKEN_KINDS } from '../workflows/api-contract';
import { HttpProblem } from './problem';

type NodeClaims = Extract<AccessClaims, { role: 'node' }>;

/**
 * A node's token is good only while its launch is the current one and the node has not ended, so this need only outlast
 * the longest run.
 */
const NODE_TOKEN_LIFETIME = '30d';

/** As long as a name may be in a run. */
const MAX_NAME = 120;

export interface Tokens {
  /** @throws HttpProblem `unauthenticated` */
  verify(authorization: string | undefined): Promise<AccessClaims>;
  /** A token by which a node may report on itself. */
  forNode(node: Omit<NodeClaims, 'role' | 'sub'>): Promise<string>;
}

export function createTokens(secret: string): Tokens {
  const key = createSecretKey(Buffer.from(secret));
  return {
    async verify(authorization) {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) throw unauthenticated('Send `Authorization: Bearer <access token>`.');
      const { payload, protectedHeader } = await jwtVerify(token, key, { algorithms: ['HS256'] }).catch(
        refuse,
      );
      const claims = AccessClaims.safeParse(payload);
      if (!claims.success)
        throw unauthenticated('The access token does not say what its bearer may do (role, sub).');
      const { sub, role } = claims.data;
      if (protectedHeader.typ !== TOKEN_KINDS[role])
        throw unauthenticated(`The access token is not of the kind that is for ${role}: get a new one.`);
      if (sub === '' || sub.length > MAX_NAME)
        throw unauthenticated('The access token does not name its bearer.');
      return claims.data;
    },
    forNode: (node) =>
      new SignJWT({ ...node, role: 'node' })
        .setProtectedHeader({ alg: 'HS256', typ: TOKEN_KINDS.node })
        .setSubject(`${node.runId}/${node.node}`)
        .setIssuedAt()
        .setExpirationTime(NODE_TOKEN_LIFETIME)
        .sign(key),
  };
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
