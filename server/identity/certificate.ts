/**
 * Who a certificate says that its holder is. TLS has verified before that the sites' authority issued it; here only its
 * form is judged, and anything that the authority would not have written is refused.
 */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import { SiteId } from '../../workflows/contract';
import { siteUri } from '../../workflows/identity-contract';

export interface SiteIdentity {
  siteId: string;
  /** 16 bytes, hexadecimal in lower case. */
  serial: string;
  /** Milliseconds since the epoch. */
  notAfter: number;
}

/** A certificate that is not a site's. */
export class NotASiteCertificate extends Error {
  constructor(reason: string) {
    super(`Not the certificate of a site: ${reason}.`);
    this.name = 'NotASiteCertificate';
  }
}

const SERIAL = /^[0-9a-f]{32}$/;

/**
 * @param certificate DER
 * @throws NotASiteCertificate
 */
export function siteIdentityOf(certificate: Buffer): SiteIdentity {
  if (certificate.length !== derLength(certificate))
    throw new NotASiteCertificate('it is not one certificate');
  try {
    return judge(new X509Certificate(Uint8Array.from(certificate)));
  } catch (error) {
    if (error instanceof NotASiteCertificate) throw error;
    throw new NotASiteCertificate(
      `it cannot be read (${error instanceof Error ? error.message : 'unknown'})`,
    );
  }
}

function judge(certificate: X509Certificate): SiteIdentity {
  const [subject = {}, ...more] = certificate.subjectName.toJSON();
  const siteId = SiteId.safeParse(subject.CN?.[0]);
  if (!siteId.success || more.length > 0 || !isAlone(subject.CN) || !isAlone(Object.keys(subject)))
    throw new NotASiteCertificate('its subject is not the id of a site');
  const names = only(certificate, SubjectAlternativeNameExtension)?.names.items ?? [];
  if (!isAlone(names) || names[0]?.type !== 'url' || names[0].value !== siteUri(siteId.data))
    throw new NotASiteCertificate(`its alternative name is not ${siteUri(siteId.data)}`);
  const usages = only(certificate, ExtendedKeyUsageExtension)?.usages;
  if (!isAlone(usages) || usages?.[0] !== ExtendedKeyUsage.clientAuth)
    throw new NotASiteCertificate('it is not for clients only');
  if (only(certificate, BasicConstraintsExtension)?.ca !== false)
    throw new NotASiteCertificate('it could certify others');
  const serial = certificate.serialNumber.toLowerCase();
  if (!SERIAL.test(serial)) throw new NotASiteCertificate('its serial number is not of 16 bytes');
  const notAfter = certificate.notAfter.getTime();
  if (Number.isNaN(notAfter)) throw new NotASiteCertificate('it does not say when it ends');
  return { siteId: siteId.data, serial, notAfter };
}

/** How long the sequence is that the bytes begin with. */
function derLength(bytes: Buffer): number | undefined {
  if (bytes[0] !== 0x30) return undefined;
  const first = bytes[1] ?? 0;
  if (first < 0x80) return first + 2;
  const size = first & 0x7f;
  if (size < 1 || size > 3 || bytes.length < 2 + size) return undefined;
  return bytes.readUIntBE(2, size) + 2 + size;
}

/** The one extension of a kind. */
function only<T>(certificate: X509Certificate, kind: abstract new (...args: never[]) => T): T | undefined {
  const [found, ...more] = certificate.extensions.filter((extension) => extension instanceof kind);
  return more.length === 0 && found instanceof kind ? found : undefined;
}

const isAlone = (list: readonly unknown[] | undefined) => list?.length === 1;
