/** A key to sign computations with. */
import { exportJWK, generateKeyPair } from 'jose';
import { signComputation } from '../../activities/shared/signed-computation';
import type { NodeComputation } from '../../workflows/contract';

export interface Signer {
  publicKey: string;
  /** The computation, vouched for. */
  sign<C extends NodeComputation>(computation: C): Promise<C>;
}

export async function newSigner(): Promise<Signer> {
  const { privateKey, publicKey: key } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const { x: publicKey = '' } = await exportJWK(key);
  return {
    publicKey,
    sign: async (computation) => {
      const signature = await signComputation(computation, { privateKey, publicKey });
      if (signature === undefined) throw new Error('The image is not named by its digest.');
      return { ...computation, signature };
    },
  };
}
