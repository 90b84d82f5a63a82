/**
 * Sign-ins that have begun at the OpenID provider: kept in the browser that began them, sealed, so that nobody else can finish
 * them there, and no server has to remember them.
 */
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import { hkdfSync } from 'node:crypto';
import { z } from 'zod';

export const FLOW_SECONDS = 600;

const Flow = z.object({
  ...{ state: z.string(), nonce: z.string(), verifier: z.string() },
  /** The page to go on with. */
  to: z.string(),
  /** The code of an invitation that is to be accepted by it. */
  code: z.string().optional(),
  /** Whose account it is to belong to from now on. */
  connects: z.string().optional(),
});
export type Flow = z.output<typeof Flow>;

export interface Flows {
  seal(flow: Flow): Promise<string>;
  /** `undefined`: it is none of this server, or too old. */
  open(sealed: string | undefined): Promise<Flow | undefined>;
}

export function createFlows(secret: string): Flows {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'muster oidc flow', 32));
  return {
    seal: (flow) =>
      new EncryptJWT({ ...flow })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(`${FLOW_SECONDS}s`)
        .encrypt(key),
    async open(sealed) {
      if (sealed === undefined) return undefined;
      try {
        return Flow.parse((await jwtDecrypt(sealed, key)).payload);
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}
