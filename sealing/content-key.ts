/**
 * The key of one kit on its way to the site whose kit it is: a compact JWE that only the holder of the site's private key
 * opens. Whoever else sees it, a proxy or its log, has nothing by it.
 */
import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, errors } from 'jose';

const KEY_MANAGEMENT = 'ECDH-ES+A256KW';
const ENCRYPTION = 'A256GCM';
const KEY_BYTES = 32;

/** @param publicKey on the curve P-256 */
export function sealContentKey(contentKey: Uint8Array, publicKey: KeyObject): Promise<string> {
  return new CompactEncrypt(contentKey)
    .setProtectedHeader({ alg: KEY_MANAGEMENT, enc: ENCRYPTION })
    .encrypt(publicKey);
}

/** `undefined` for what was not sealed to the key, or is no content key. */
export async function openContentKey(sealed: string, privateKey: KeyObject): Promise<Buffer | undefined> {
  try {
    const { plaintext } = await compactDecrypt(sealed, privateKey, {
      keyManagementAlgorithms: [KEY_MANAGEMENT],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    return plaintext.length === KEY_BYTES ? Buffer.from(plaintext) : undefined;
  } catch (error) {
    // What was made up may break the library in ways that it has no name for, such as a point that is not on the curve.
    if (error instanceof errors.JOSEError || error instanceof DOMException || error instanceof TypeError)
      return undefined;
    throw error;
  }
}
