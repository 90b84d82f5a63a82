/**
 * A certificate authority for one run. Its key lives in this process only and dies with it, so nobody can join the
 * run later. The certificates are put together here: a library for it would take longer to load than the rest of
 * provisioning takes.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { der } from './der';

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};
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
  issueServer(host: string): Certified;
  /** For a client that is known by this name. */
  issueClient(name: string): Certified;
}

interface Subject {
  name: string;
  publicKey: Buffer;
}

export function createAuthority(name: string): Authority {
  const { privateKey, publicKey } = newKeys();
  const issuer = { name, publicKey };
  const certify = (subject: Subject, extensions: Buffer[]) =>
    toPem('CERTIFICATE', certificate(subject, issuer, privateKey, extensions));
  const issue = (subject: string, usage: string, extensions: Buffer[] = []): Certified => {
    const keys = newKeys();
    const cert = certify({ name: subject, publicKey: keys.publicKey }, [
      extension(OID.keyUsage, DIGITAL_SIGNATURE, true),
      extension(OID.extendedKeyUsage, der.sequence(der.oid(usage))),
      ...extensions,
    ]);
    return { cert, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  return {
    cert: certify(issuer, [
      extension(OID.basicConstraints, der.sequence(der.true(), der.integer(Buffer.from([0]))), true),
      extension(OID.keyUsage, CERTIFICATE_SIGNATURE, true),
    ]),
    issueServer: (host) =>
      issue('central', OID.server, [extension(OID.subjectAltName, alternativeName(host))]),
    issueClient: (client) => issue(client, OID.client),
  };
}

const DIGITAL_SIGNATURE = der.bitString(Buffer.from([0b1000_0000]), 7);
const CERTIFICATE_SIGNATURE = der.bitString(Buffer.from([0b0000_0100]), 2);

function newKeys(): { privateKey: KeyObject; publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }) };
}

function certificate(subject: Subject, issuer: Subject, issuerKey: KeyObject, extensions: Buffer[]): Buffer {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const version3 = der.explicit(0, der.integer(Buffer.from([2])));
  const body = der.sequence(
    version3,
    der.integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.name),
    validity(Date.now()),
    distinguishedName(subject.name),
    subject.publicKey,
    der.explicit(
      3,
      der.sequence(
        ...extensions,
        extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(subject))),
        extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(issuer)))),
      ),
    ),
  );
  return der.sequence(body, algorithm, der.bitString(sign('sha256', body, issuerKey)));
}

/** Positive, and without a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.utf8String(commonName))));
}

function validity(now: number): Buffer {
  const from = new Date(now - VALID_DAYS.before * DAY_MS);
  const until = new Date(now + VALID_DAYS.after * DAY_MS);
  return der.sequence(der.time(from), der.time(until));
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(oid), ...(critical ? [der.true()] : []), der.octetString(value));
}

/** The SHA-1 of the key itself: the last 65 bytes of a P-256 key's structure. */
function keyIdentifier({ publicKey }: Subject): Buffer {
  return createHash('sha1').update(publicKey.subarray(-65)).digest();
}

function alternativeName(host: string): Buffer {
  const [DNS_NAME, IP_ADDRESS] = [2, 7];
  const name =
    isIP(host) === 0 ? der.implicit(DNS_NAME, Buffer.from(host)) : der.implicit(IP_ADDRESS, ipBytes(host));
  return der.sequence(name);
}

/** The 4 or 16 bytes of an IP address. */
function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL writes every IPv6 address in one way: groups in hex, at most one gap.
  const { hostname } = new URL(`http://[${address}]`);
  const [left = [], right = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((side) => side.split(':').filter((group) => group !== ''));
  const gap = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const groups = [...left, ...gap, ...right].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
