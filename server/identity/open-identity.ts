/** What this instance shows to sites, and what it keeps to know them again: read once, and made the first time. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { SitesConfig } from '../config';
import { readPem, tryTo } from '../../certificates/pem-files';
import { keptSigningKey, openSigningKey, type SigningKey } from './signing-key';
import { keptAuthority, openSiteCa, type SiteCa } from './site-ca';

export interface Identity {
  siteCa: SiteCa;
  signingKey: SigningKey;
  /** How sites reach this API. */
  siteApiUrl: string;
  /** How sites reach the gateway, host:port. */
  gatewayAddress: string;
  /** What this API shows to sites, PEM. */
  tls: { cert: string; key: string };
  /** What this API and the gateway are certified by, PEM. */
  ca: string;
  /** SHA-256 of the certificate among those that certifies this API. */
  pin: Uint8Array;
}

/** @throws Error that names the file that cannot be used */
export async function openIdentity(sites: SitesConfig): Promise<Identity> {
  const { url, gatewayAddress, tls } = sites;
  const [siteCa, signingKey, cert, key, ca] = await Promise.all([
    openSiteCa('keptIn' in sites.siteCa ? await keptAuthority(sites.siteCa.keptIn) : sites.siteCa),
    openSigningKey(
      'keptIn' in sites.signingKey ? await keptSigningKey(sites.signingKey.keptIn) : sites.signingKey.key,
    ),
    ...([readPem(tls.cert), readPem(tls.key), readPem(tls.ca)] as const),
  ]);
  const authority = authorityOf(tls, { cert, key, ca });
  const pin = createHash('sha256').update(authority.raw).digest();
  return { siteCa, signingKey, siteApiUrl: url, gatewayAddress, tls: { cert, key }, ca, pin };
}

/**
 * What certifies a certificate that sites are shown, among `ca`.
 * @param files the paths of all three, by which one that cannot be used is named
 * @throws Error
 */
export function authorityOf(
  files: SitesConfig['tls'],
  { cert, key, ca }: { cert: string; key: string; ca: string },
): X509Certificate {
  const chain = certificatesIn(files.cert, cert);
  const privateKey = tryTo(files.key, 'a private key', () => createPrivateKey(key));
  if (chain[0]?.checkPrivateKey(privateKey) !== true)
    throw new Error(`${files.key} is not the key of ${files.cert}.`);
  const top = chain.at(-1);
  const authority = certificatesIn(files.ca, ca).find((one) => top !== undefined && certifies(one, top));
  if (authority === undefined) throw new Error(`${files.ca} is not what ${files.cert} is certified by.`);
  return authority;
}

function certificatesIn(path: string, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return tryTo(path, 'a certificate', () => {
    if (blocks.length === 0) throw new Error('nothing is in it');
    return blocks.map((block) => new X509Certificate(block));
  });
}

/** A chain may end with the authority itself. */
const certifies = (authority: X509Certificate, certificate: X509Certificate) =>
  authority.fingerprint256 === certificate.fingerprint256 ||
  (certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
