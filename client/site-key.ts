/** The key of a site: made where it is used, and never sent; what is sent is a request for a certificate for it. */
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { ALGORITHM, newKeys, privateKeyPem } from '../certificates/keys';

export interface SiteKey {
  /** The private key, PKCS#8 and PEM. */
  key: string;
  /** PKCS#10 and PEM. */
  csr: string;
}

export async function newSiteKey(siteId: string): Promise<SiteKey> {
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [siteId] }], keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  return { key: await privateKeyPem(keys.privateKey), csr: request.toString('pem') };
}
