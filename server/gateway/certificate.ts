/** Reads a site's client certificate, whose chain TLS has verified: only the exact form that the site CA writes counts. */
import { X509Certificate } from 'node:crypto';
import { SiteId } from '../../workflows/contract';
import type { SiteIdentity } from './identity';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** @throws Error if the certificate (DER) is not a site's */
export function siteIdentityOf(der: Buffer): SiteIdentity {
  const { subject, subjectAltName, keyUsage, ca, serialNumber, validTo } = new X509Certificate(der);
  const [, name] = /^CN=([^\n]+)$/.exec(subject) ?? [];
  const siteId = SiteId.safeParse(name);
  if (!siteId.success || subjectAltName !== `URI:urn:muster:site:${siteId.data}`)
    throw new Error('the client certificate does not name a site');
  // All of its usages together: there is one.
  if (ca || String(keyUsage) !== CLIENT_AUTH)
    throw new Error('the client certificate is not for clients only');
  return { siteId: siteId.data, serial: serialNumber.toLowerCase(), notAfter: Date.parse(validTo) };
}
