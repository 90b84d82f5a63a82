/**
 * By whom a computation is vouched for: its author, or whoever examined it, signs what runs at a site, and a site may let in
 * whatever is signed by them. The signature goes with the computation, from its manifest to the site, which alone judges it.
 */
import { isDeepStrictEqual } from 'node:util';
import { CompactSign, compactVerify, decodeProtectedHeader, importJWK, type CryptoKey } from 'jose';
import { z } from 'zod';
import { Computation, type NodeComputation } from '../../workflows/contract';

/** An Ed25519 public key as `muster computation keygen` prints it: 32 bytes, base64url. */
export const SignerKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'a signer is the public key that `muster computation keygen` prints');

/** What a signature is of: what runs, and what it gets. The rest is about how a run goes, or about the centre. */
const Signed = Computation.pick({
  name: true,
  version: true,
  commands: true,
  outputs: true,
  resources: true,
}).extend({ image: z.string() });
type Signed = z.output<typeof Signed>;

const Header = z.strictObject({
  alg: z.literal('EdDSA'),
  typ: z.literal('muster-computation+jws'),
  kid: SignerKey,
});

/** Who signed a computation; or why its signature counts for nothing; neither, if it has none. */
export interface Signature {
  signer?: string | undefined;
  flaw?: string | undefined;
}

/** The digest in the name of an image, if it has one. */
export const digestIn = (image: string | undefined) => /(?:^|@)(sha256:[0-9a-f]+)$/.exec(image ?? '')?.[1];

function signedPart({ name, version, image, commands, outputs, resources }: NodeComputation) {
  return { name, version, image: digestIn(image), commands, outputs, resources };
}

/** A compact JWS over what of `computation` runs at a site; `undefined` if its image is not named by a digest. */
export async function signComputation(
  computation: NodeComputation,
  { privateKey, publicKey }: { privateKey: CryptoKey; publicKey: string },
): Promise<string | undefined> {
  const part = signedPart(computation);
  // A signature would be of something that can change.
  if (part.image === undefined) return undefined;
  return new CompactSign(Buffer.from(JSON.stringify(part)))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'muster-computation+jws', kid: publicKey })
    .sign(privateKey);
}

/** Reads the signature of a computation, and holds it against what the computation now is. */
export async function signatureOf(computation: NodeComputation): Promise<Signature> {
  const { signature } = computation;
  if (signature === undefined) return {};
  const read = await readSignature(signature);
  if (read === undefined) return { flaw: 'its signature is not valid' };
  const part = signedPart(computation);
  const other = Object.entries(read.signed).filter(
    ([key, value]) => !isDeepStrictEqual(value, part[key as keyof Signed]),
  );
  if (other.length === 0) return { signer: read.signer };
  return { flaw: `its signature does not fit its ${other.map(([key]) => key).join(', ')}` };
}

async function readSignature(jws: string): Promise<{ signer: string; signed: Signed } | undefined> {
  try {
    const { kid } = Header.parse(decodeProtectedHeader(jws));
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: kid }, 'EdDSA');
    const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
    return { signer: kid, signed: Signed.parse(JSON.parse(Buffer.from(payload).toString('utf8'))) };
  } catch {
    // Whatever is wrong with it: it comes from outside, and it is either a signature or not.
    return undefined;
  }
}
