/** Who connects: what the gateway has to know of sites and their certificates. */

import { createHash } from 'node:crypto';
import type { SiteIdentity } from '../identity/certificate';

export type { SiteIdentity };

/**
 * Reads a certificate (DER) whose chain TLS has verified.
 * @throws Error if it is not exactly a site's certificate
 */
export type IdentityReader = (certificate: Buffer) => SiteIdentity;

/** As many as one gateway serves, with those that they had before. */
const MOST_READ = 10_000;

/** Reads a certificate once: who connects over and over shall not keep the gateway reading what it has read. */
export function remembering(read: IdentityReader): IdentityReader {
  const known = new Map<string, SiteIdentity>();
  return (certificate) => {
    const digest = createHash('sha256').update(certificate).digest('base64');
    const before = known.get(digest);
    if (before) return before;
    const identity = read(certificate);
    if (known.size === MOST_READ) known.clear();
    known.set(digest, identity);
    return identity;
  };
}

/** Which certificates count at the moment. Answers from memory: it is asked on each call. */
export interface Admissions {
  admits(identity: SiteIdentity): boolean;
  /** Calls back when the answer may have changed for someone. Answers how to stop it. */
  onChange(listener: () => void): () => void;
}
