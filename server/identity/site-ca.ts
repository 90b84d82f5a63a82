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
  X509CertificateGenerator,
  type PublicKey,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import {
  newAuthority,
  newSerial,
  readAuthority,
  validity,
  wholeSeconds,
  type AuthorityFiles,
} from '../../certificates/authority';
import { ALGORITHM } from '../../certificates/keys';
import { makeOnce } from '../../certificates/make-once';
import { siteUri } from '../../workflows/identity-contract';
import type { SiteIdentity } from './certificate';

const DAY_MS = 86_400_000;
const SITE_DAYS = 30;

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
    const { cert, key } = await newAuthority('Muster sites');
    return { 'ca.crt': cert, 'ca.key': key };
  });
  return files;
}

/** @param lifetimeMs how long a certificate is good for */
export async function openSiteCa(
  files: AuthorityFiles,
  { lifetimeMs = SITE_DAYS * DAY_MS, clock = Date.now }: { lifetimeMs?: number; clock?: () => number } = {},
): Promise<SiteCa> {
  const { certificate: authority, signingKey } = await readAuthority(files);
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
          ...validity(now, notAfter),
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
