/** Authorities and certificates for tests, as the sites' authority and the instance's own write them. */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralName,
} from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

/** A certificate and its key, both PEM. */
export interface Certified {
  cert: string;
  key: string;
}

export interface TestAuthority {
  /** PEM. */
  readonly cert: string;
  /** For a server on this machine. */
  issueServer(): Promise<Certified>;
  /** @param validMs from now */
  issueSite(siteId: string, validMs?: number): Promise<Certified>;
  /** For somebody who is no site. */
  issueOther(name: string): Promise<Certified>;
}

export async function createTestAuthority(name = 'A test'): Promise<TestAuthority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [name] }],
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + HOUR_MS),
      keys,
      signingAlgorithm: P256,
      extensions: [new BasicConstraintsExtension(true, 0, true)],
    },
    webcrypto,
  );
  const issue = async (
    subject: string,
    usage: ExtendedKeyUsage,
    names: JsonGeneralName[],
    validMs = HOUR_MS,
  ): Promise<Certified> => {
    const { publicKey, privateKey } = await newKeys();
    const certificate = await X509CertificateGenerator.create(
      {
        serialNumber: newSerial(),
        subject: [{ CN: [subject] }],
        issuer: root.subject,
        notBefore: new Date(Date.now() - HOUR_MS),
        notAfter: new Date(Date.now() + validMs),
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: P256,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new ExtendedKeyUsageExtension([usage]),
          ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
        ],
      },
      webcrypto,
    );
    const exported = await webcrypto.subtle.exportKey('pkcs8', privateKey);
    return {
      cert: certificate.toString('pem'),
      key: PemConverter.encode(exported, PemConverter.PrivateKeyTag),
    };
  };
  return {
    cert: root.toString('pem'),
    issueServer: () =>
      issue('localhost', ExtendedKeyUsage.serverAuth, [
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    issueSite: (siteId, validMs) =>
      issue(
        siteId,
        ExtendedKeyUsage.clientAuth,
        [{ type: 'url', value: `urn:muster:site:${siteId}` }],
        validMs,
      ),
    issueOther: (other) => issue(other, ExtendedKeyUsage.clientAuth, []),
  };
}

const newKeys = () => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
/** 16 bytes, of which the first neither is zero nor makes the number negative. */
const newSerial = () => `5a${randomBytes(15).toString('hex')}`;
