/** Certificates that servers show. */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { newSerial, validity, type Authority, type Certified } from './authority';
import { ALGORITHM, newKeys, privateKeyPem } from './keys';

/** @param hosts names and addresses at which the server is reached; it goes by the first */
export async function issueServerCertificate(
  { certificate: authority, signingKey }: Authority,
  hosts: readonly [string, ...string[]],
): Promise<Certified> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject: [{ CN: [hosts[0]] }],
      issuer: authority.subject,
      // As long as what certifies it: the two are renewed together.
      ...validity(Date.now(), authority.notAfter.getTime()),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyAgreement, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth], true),
        new SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await AuthorityKeyIdentifierExtension.create(authority.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: privateKeyPem(keys.privateKey) };
}
