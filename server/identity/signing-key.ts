/** The key by which this instance signs what it tells sites: they get its public half when they join, and keep it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { makeOnce } from '../../certificates/make-once';
import { readPem, tryTo } from '../../certificates/pem-files';

export interface SigningKey {
  /** Ed25519. */
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly publicKey: string;
}

/** The path of the key that is kept in a folder, made if there is none. */
export async function keptSigningKey(folder: string): Promise<string> {
  await makeOnce(folder, () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    return Promise.resolve({
      'instance.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    });
  });
  return join(folder, 'instance.key');
}

/** @throws Error that says what is wrong with the file */
export async function openSigningKey(path: string): Promise<SigningKey> {
  const text = await readPem(path);
  const privateKey = tryTo(path, 'a private key', () => createPrivateKey(text));
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`${path} must be an Ed25519 key.`);
  return {
    privateKey,
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  };
}
