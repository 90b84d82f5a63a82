/** The key of a site: made where it is used, and never sent; what is sent is a request for a certificate for it. */
import { webcrypto } from 'node:crypto';
import { ALGORITHM, newKeys, privateKeyPem } from '../certificates/keys';

export interface SiteKey {
  /** The private key, PKCS#8 and PEM. */
  key: string;
  /** PKCS#10 and PEM. */
  csr: string;
}

export async function newSiteKey(siteId: string): Promise<SiteKey> {
  // Large, and an edge worker needs it once in weeks.
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [siteId] }], keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  return { key: privateKeyPem(keys.privateKey), csr: request.toString('pem') };
}
