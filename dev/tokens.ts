/** Access tokens of a local stack, signed as the central API expects them. */
import { SignJWT } from 'jose';
import { TOKEN_KINDS, type AccessClaims } from '../workflows/api-contract';

/** Longer than a local stack is left running. */
export const WORKER_TOKEN_LIFETIME = '30d';

/** A token with these claims that expires after `lifetime`, such as `12h` or `30d`. */
export function mintToken(secret: string, claims: AccessClaims, lifetime: string): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: TOKEN_KINDS[claims.role] })
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));
}
