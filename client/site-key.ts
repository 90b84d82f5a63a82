/** The key of a site: made where it is used, and never sent; what is sent is a request for a certificate for it. */
import 'reflect-metadata';
import { PemConverter, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface SiteKey {
  /** The private key, PKCS#8 and PEM. */
  key: string;
  /** PKCS#10 and PEM. */
  csr: string;
}

export async function newSiteKey(siteId: string): Promise<SiteKey> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [siteId] }], keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { key: PemConverter.encode(key, PemConverter.PrivateKeyTag), csr: request.toString('pem') };
}
