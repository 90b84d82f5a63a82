/**
 * A certificate authority for one run. Its key lives in this process only and dies with it, so nobody can join the
 * run later.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
  type X509Certificate,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
/** Clocks of sites differ, and a run may take its time. */
const VALID_DAYS = { before: 1, after: 30 };

/** A certificate and its key, both PEM. */
export interface Certified {
  cert: string;
  key: string;
}
export interface Authority {
  cert: string;
  /** For a server that is reached by this name or IP address. */
  issueServer(host: string): Promise<Certified>;
  /** For a client that is known by this name. */
  issueClient(name: string): Promise<Certified>;
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity(),
      name: distinguishedName(name),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const issue = (subject: string, usage: ExtendedKeyUsage, ...more: Extension[]) =>
    certify(root, keys.privateKey, subject, [new ExtendedKeyUsageExtension([usage]), ...more]);
  return {
    cert: root.toString('pem'),
    issueServer: (host) =>
      issue(
        'central',
        ExtendedKeyUsage.serverAuth,
        new SubjectAlternativeNameExtension([alternativeName(host)]),
      ),
    issueClient: (client) => issue(client, ExtendedKeyUsage.clientAuth),
  };
}

async function certify(
  root: X509Certificate,
  signingKey: webcrypto.CryptoKey,
  subject: string,
  extensions: Extension[],
): Promise<Certified> {
  const { publicKey, privateKey } = await newKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      ...validity(),
      subject: distinguishedName(subject),
      issuer: root.subject,
      publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true), ...extensions],
    },
    webcrypto,
  );
  const key = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, PemConverter.PrivateKeyTag) };
}

/** An IPv6 address in the one form that a URL gives it: the others are not all understood. */
function alternativeName(host: string): JsonGeneralName {
  if (isIP(host) === 0) return { type: 'dns', value: host };
  const isV6 = isIP(host) === 6;
  return { type: 'ip', value: isV6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host };
}

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** As a structure, not as text: a name may hold characters that the text form gives a meaning. */
const distinguishedName = (commonName: string) => [{ CN: [commonName] }];

function validity() {
  const now = Date.now();
  return {
    notBefore: new Date(now - VALID_DAYS.before * DAY_MS),
    notAfter: new Date(now + VALID_DAYS.after * DAY_MS),
  };
}
