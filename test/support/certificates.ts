/** Authorities and certificates for tests: real ones, good and bad in every way that a test asks for. */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
  type JsonName,
} from '@peculiar/x509';
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import type { Certified } from '../../certificates/authority';
import { ALGORITHM, newKeys, privateKeyPem } from '../../certificates/keys';

export type { Certified };

const HOUR_MS = 3_600_000;

/** What a certificate says; all of it may be wrong. */
export interface Subject {
  subject?: JsonName;
  serialNumber?: string;
  names?: JsonGeneralName[];
  usages?: ExtendedKeyUsage[];
  isAuthority?: boolean;
  /** Milliseconds from now. */
  from?: number;
  until?: number;
  more?: Extension[];
}

export interface TestAuthority extends Certified {
  /** SHA-256 of the certificate. */
  readonly pin: Buffer;
  issue(subject: Subject): Promise<Certified>;
  /** For a server on this machine. */
  issueServer(): Promise<Certified>;
  /** As the sites' authority writes it, but for what `but` says. */
  issueSite(siteId: string, but?: Subject): Promise<Certified>;
}

export const newSerial = () => `5a${randomBytes(15).toString('hex')}`;

export async function createTestAuthority(name = 'A test'): Promise<TestAuthority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [name] }],
      ...validity({ until: 60 * 24 * HOUR_MS }),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );

  async function issue(what: Subject): Promise<Certified> {
    const { publicKey, privateKey } = await newKeys();
    const { subject = [{ CN: ['anyone'] }], serialNumber = newSerial(), names = [], usages = [] } = what;
    const certificate = await X509CertificateGenerator.create(
      {
        ...{ serialNumber, subject, issuer: root.subject, ...validity(what), publicKey },
        ...{ signingKey: keys.privateKey, signingAlgorithm: ALGORITHM },
        extensions: [
          new BasicConstraintsExtension(what.isAuthority ?? false, undefined, true),
          ...(usages.length > 0 ? [new ExtendedKeyUsageExtension(usages)] : []),
          ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
          ...(what.more ?? []),
        ],
      },
      webcrypto,
    );
    return { cert: certificate.toString('pem'), key: privateKeyPem(privateKey) };
  }

  return {
    cert: root.toString('pem'),
    key: privateKeyPem(keys.privateKey),
    pin: createHash('sha256').update(Buffer.from(root.rawData)).digest(),
    issue,
    issueServer: () =>
      issue({
        names: [
          { type: 'ip', value: '127.0.0.1' },
          { type: 'dns', value: 'localhost' },
        ],
        usages: [ExtendedKeyUsage.serverAuth],
      }),
    issueSite: (siteId, but = {}) =>
      issue({
        subject: [{ CN: [siteId] }],
        names: [{ type: 'url', value: `urn:muster:site:${siteId}` }],
        usages: [ExtendedKeyUsage.clientAuth],
        ...but,
      }),
  };
}

/** A request for a certificate that says all kinds of things of itself, with a key of this kind. */
export async function newRequest({
  name = [{ CN: ['anyone'] }],
  algorithm = ALGORITHM,
  extensions = [],
}: {
  name?: JsonName;
  algorithm?: webcrypto.EcKeyGenParams & { hash: string };
  extensions?: Extension[];
} = {}): Promise<{ csr: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm: algorithm, extensions },
    webcrypto,
  );
  return { csr: request.toString('pem'), key: privateKeyPem(keys.privateKey) };
}

const validity = ({ from = -HOUR_MS, until = HOUR_MS }: Subject) => ({
  notBefore: new Date(Date.now() + from),
  notAfter: new Date(Date.now() + until),
});
