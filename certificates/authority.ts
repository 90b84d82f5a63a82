/** Authorities that certify others: made new, and read from the two PEM files that one is kept in. */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { ALGORITHM, newKeys, privateKeyPem } from './keys';
import { readPem, tryTo } from './pem-files';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** The clock of whoever looks at a certificate may be slow. */
const BACKDATED_MS = 3_600_000;

/** A certificate and its key, both PEM. */
export interface Certified {
  cert: string;
  key: string;
}

/** Where an authority is, as two PEM files. */
export interface AuthorityFiles {
  cert: string;
  key: string;
}

export interface Authority {
  certificate: X509Certificate;
  signingKey: webcrypto.CryptoKey;
}

/** 16 bytes. The first is such that no form of writing a number down adds a byte or drops one. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

/** From a little before `now` until `notAfter`, both milliseconds since the epoch; certificates know no fractions. */
export const validity = (now: number, notAfter: number) => ({
  notBefore: new Date(wholeSeconds(now - BACKDATED_MS)),
  notAfter: new Date(wholeSeconds(notAfter)),
});

export const wholeSeconds = (moment: number) => Math.floor(moment / 1_000) * 1_000;

/** @param purpose names it, with some letters of its own: authorities of two instances are not mistaken for one another */
export async function newAuthority(purpose: string): Promise<Certified & Authority> {
  const keys = await newKeys();
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [`${purpose} ${randomBytes(4).toString('hex')}`] }],
      ...validity(now, now + AUTHORITY_DAYS * DAY_MS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const { privateKey: signingKey } = keys;
  return { certificate, signingKey, cert: certificate.toString('pem'), key: privateKeyPem(signingKey) };
}

/** @throws Error that names the file that cannot be used */
export async function readAuthority({ cert, key }: AuthorityFiles): Promise<Authority> {
  const [certText, keyText] = await Promise.all([readPem(cert), readPem(key)]);
  const authority = tryTo(cert, 'a certificate', () => new NodeCertificate(certText));
  const privateKey = tryTo(key, 'a private key', () => createPrivateKey(keyText));
  if (!authority.ca) throw new Error(`${cert} is not the certificate of an authority.`);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error(`${key} must be an ECDSA key on the curve P-256.`);
  if (!authority.checkPrivateKey(privateKey)) throw new Error(`${key} is not the key of ${cert}.`);
  if (Date.parse(authority.validTo) <= Date.now()) throw new Error(`${cert} has expired.`);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    certificate: new X509Certificate(Uint8Array.from(authority.raw)),
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
  };
}
