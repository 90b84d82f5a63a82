/**
 * The authority that certifies sites. It answers a request for a certificate with one of its own making: of the request it
 * takes the public key and nothing else.
 */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type PublicKey,
} from '@peculiar/x509';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { join } from 'node:path';
import { siteUri } from '../../workflows/identity-contract';
import type { SiteIdentity } from './certificate';
import { makeOnce } from './make-once';
import { readPem, tryTo } from './pem-files';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const SITE_DAYS = 30;
/** A site's clock may be slow. */
const BACKDATED_MS = 3_600_000;

/** Where an authority is, as two PEM files. */
export interface AuthorityFiles {
  cert: string;
  key: string;
}

export interface IssuedCertificate extends SiteIdentity {
  /** PEM. */
  certificate: string;
}

export interface SiteCa {
  /** The authority's own certificate, PEM. */
  readonly certificate: string;
  /**
   * @param csr PKCS#10, PEM
   * @throws RefusedRequest
   */
  issue(siteId: string, csr: string): Promise<IssuedCertificate>;
}

/** A request for a certificate that is not answered with one. */
export class RefusedRequest extends Error {
  constructor(reason: string) {
    super(`The certificate request cannot be used: ${reason}.`);
    this.name = 'RefusedRequest';
  }
}

/** The authority that is kept in a folder, made if there is none. */
export async function keptAuthority(folder: string): Promise<AuthorityFiles> {
  const files = { cert: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  await makeOnce(folder, async () => {
    const { cert, key } = await newAuthority();
    return { 'ca.crt': cert, 'ca.key': key };
  });
  return files;
}

/** @param lifetimeMs how long a certificate is good for */
export async function openSiteCa(
  files: AuthorityFiles,
  { lifetimeMs = SITE_DAYS * DAY_MS, clock = Date.now }: { lifetimeMs?: number; clock?: () => number } = {},
): Promise<SiteCa> {
  const { authority, signingKey } = await readAuthority(files);
  const authorityId = await AuthorityKeyIdentifierExtension.create(authority.publicKey, false, webcrypto);

  return {
    certificate: authority.toString('pem'),
    async issue(siteId, csr) {
      const publicKey = await requestedKey(csr);
      const serial = newSerial();
      const now = clock();
      const notAfter = wholeSeconds(Math.min(now + lifetimeMs, authority.notAfter.getTime()));
      const certificate = await X509CertificateGenerator.create(
        {
          serialNumber: serial,
          subject: [{ CN: [siteId] }],
          issuer: authority.subject,
          notBefore: new Date(wholeSeconds(now - BACKDATED_MS)),
          notAfter: new Date(notAfter),
          publicKey,
          signingKey,
          signingAlgorithm: ALGORITHM,
          extensions: [
            new BasicConstraintsExtension(false, undefined, true),
            new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyAgreement, true),
            new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true),
            new SubjectAlternativeNameExtension([{ type: 'url', value: siteUri(siteId) }]),
            await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
            authorityId,
          ],
        },
        webcrypto,
      );
      return { siteId, serial, notAfter, certificate: certificate.toString('pem') };
    },
  };
}

/** The key that a request proves to hold. */
async function requestedKey(csr: string): Promise<PublicKey> {
  const request = parseRequest(csr);
  const { name, namedCurve } = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (name !== 'ECDSA' || namedCurve !== ALGORITHM.namedCurve)
    throw new RefusedRequest('its key must be an ECDSA key on the curve P-256');
  const proven = await request.verify(webcrypto).catch(() => false);
  if (!proven) throw new RefusedRequest('it is not signed by the key that it is for');
  return request.publicKey;
}

function parseRequest(csr: string): Pkcs10CertificateRequest {
  try {
    return new Pkcs10CertificateRequest(PemConverter.decodeFirst(csr));
  } catch {
    throw new RefusedRequest('it is not a PKCS#10 request in PEM');
  }
}

/** 16 bytes. The first is such that no form of writing a number down adds a byte or drops one. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

/** Certificates know no fractions. */
const wholeSeconds = (moment: number) => Math.floor(moment / 1_000) * 1_000;

async function newAuthority(): Promise<{ cert: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      // Instances have authorities of different names, so that their certificates are not mistaken for one another.
      name: [{ CN: [`Muster sites ${randomBytes(4).toString('hex')}`] }],
      notBefore: new Date(wholeSeconds(now - BACKDATED_MS)),
      notAfter: new Date(wholeSeconds(now + AUTHORITY_DAYS * DAY_MS)),
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
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, PemConverter.PrivateKeyTag) };
}

/** @throws Error that names the file that cannot be used */
async function readAuthority({ cert, key }: AuthorityFiles) {
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
    authority: new X509Certificate(Uint8Array.from(authority.raw)),
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
  };
}
