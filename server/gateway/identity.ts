/** Who connects: what the gateway has to know of sites and their certificates. */

import type { SiteIdentity } from '../identity/certificate';

export type { SiteIdentity };

/**
 * Reads a certificate (DER) whose chain TLS has verified.
 * @throws Error if it is not exactly a site's certificate
 */
export type IdentityReader = (certificate: Buffer) => SiteIdentity;

/** Which certificates count at the moment. Answers from memory: it is asked on each call. */
export interface Admissions {
  admits(identity: SiteIdentity): boolean;
  /** Calls back when the answer may have changed for someone. Answers how to stop it. */
  onChange(listener: () => void): () => void;
}
