import 'reflect-metadata';
import { SubjectAlternativeNameExtension } from '@peculiar/x509';
import { createPublicKey, verify, sign, X509Certificate } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { siteIdentityOf } from '../../../server/identity/certificate';
import { keptSigningKey, openSigningKey } from '../../../server/identity/signing-key';
import { keptAuthority, openSiteCa, RefusedRequest } from '../../../server/identity/site-ca';
import { createTestAuthority, newRequest } from '../../support/certificates';
import { useFolder } from '../../support/folder';

const folder = useFolder();
const DAY_MS = 86_400_000;

describe('the authority that certifies sites', () => {
  it('gives a site a certificate of its own making for the key that was sent', async () => {
    const ca = await openSiteCa(await keptAuthority(join(folder, 'one')));
    const { csr, key } = await newRequest({
      name: [{ CN: ['dream'] }, { O: ['Somebody'] }],
      extensions: [new SubjectAlternativeNameExtension([{ type: 'url', value: 'urn:muster:site:dream' }])],
    });
    const { certificate, ...issued } = await ca.issue('biscoe', csr);
    const made = new X509Certificate(certificate);
    expect(siteIdentityOf(made.raw)).toEqual(issued);
    expect(issued.siteId).toBe('biscoe');
    expect(`${made.subject} ${made.subjectAltName ?? ''}`).toBe('CN=biscoe URI:urn:muster:site:biscoe');
    expect(made.publicKey.export({ type: 'spki', format: 'pem' })).toBe(
      createPublicKey(key).export({ type: 'spki', format: 'pem' }),
    );
    const authority = new X509Certificate(ca.certificate);
    expect(made.checkIssued(authority) && made.verify(authority.publicKey)).toBe(true);
    const days = (Date.parse(made.validTo) - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBe(30);
    const { serial } = await ca.issue('biscoe', csr);
    expect(serial).not.toBe(issued.serial);
  });

  it('is made once, by whoever is first, and only its owner may read its key', async () => {
    const place = join(folder, 'deep', 'many');
    await Promise.all(Array.from({ length: 5 }, () => keptAuthority(place)));
    const first = await readFile(join(place, 'ca.key'), 'utf8');
    const { key } = await keptAuthority(place);
    expect(await readFile(key, 'utf8')).toBe(first);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'deep'))).toEqual(['many']);
  });

  it.each([
    ['a weak key', { algorithm: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-256' } }, /curve P-256/],
    [
      'an RSA key',
      {
        algorithm: {
          ...{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
          ...{ hash: 'SHA-256', namedCurve: 'P-256' },
        },
      },
      /curve P-256/,
    ],
  ])('refuses %s', async (_what, request, reason) => {
    const ca = await openSiteCa(await keptAuthority(join(folder, 'one')));
    const { csr } = await newRequest(request);
    await expect(ca.issue('biscoe', csr)).rejects.toThrow(reason);
  });

  it('refuses what is not a request, or not signed by the key that it is for', async () => {
    const ca = await openSiteCa(await keptAuthority(join(folder, 'one')));
    const { csr } = await newRequest();
    const body = csr.split('\n').slice(1, -1).join('');
    const bytes = Buffer.from(body, 'base64');
    // In its signature, which ends the request.
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3);
    const changed = csr.replace(csr.split('\n').slice(1, -1).join('\n'), bytes.toString('base64'));
    for (const text of [
      changed,
      '',
      'hello',
      ca.certificate,
      csr.replaceAll('REQUEST', 'PERSON').slice(0, 90),
    ])
      await expect(ca.issue('biscoe', text)).rejects.toThrow(RefusedRequest);
  });

  it('does not outlive itself in what it issues', async () => {
    const { cert, key } = await createTestAuthority();
    const files = { cert: join(folder, 'short.crt'), key: join(folder, 'short.key') };
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
    const { notAfter } = await (
      await openSiteCa(files, { lifetimeMs: 90 * DAY_MS })
    ).issue('biscoe', (await newRequest()).csr);
    expect(notAfter).toBe(Date.parse(new X509Certificate(cert).validTo));
  });

  it('is refused by the file that is wrong', async () => {
    const [one, other] = await Promise.all([createTestAuthority(), createTestAuthority()]);
    const leaf = await one.issueServer();
    const at = join(folder, 'wrong');
    await mkdir(at);
    const open = async (cert: string, key: string) => {
      await Promise.all([writeFile(join(at, 'cert'), cert), writeFile(join(at, 'key'), key)]);
      return openSiteCa({ cert: join(at, 'cert'), key: join(at, 'key') });
    };
    await expect(open(one.cert, other.key)).rejects.toThrow(`${at}/key is not the key of ${at}/cert.`);
    await expect(open(leaf.cert, leaf.key)).rejects.toThrow(
      `${at}/cert is not the certificate of an authority.`,
    );
    await expect(open('x', one.key)).rejects.toThrow(`${at}/cert is not a certificate (PEM).`);
    await expect(open(one.cert, 'x')).rejects.toThrow(`${at}/key is not a private key (PEM).`);
    await rm(join(at, 'key'));
    await expect(openSiteCa({ cert: join(at, 'cert'), key: join(at, 'key') })).rejects.toThrow(
      /key cannot be read/,
    );
  });
});

describe("the instance's signing key", () => {
  it('is made once, and what it signs can be checked by its public half', async () => {
    const place = join(folder, 'signing');
    const [path, same] = await Promise.all([keptSigningKey(place), keptSigningKey(place)]);
    expect(path).toBe(same);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { privateKey, publicKey } = await openSigningKey(path);
    const words = Buffer.from('what is signed');
    expect(verify(null, words, publicKey, sign(null, words, privateKey))).toBe(true);
    expect((await openSigningKey(path)).publicKey).toBe(publicKey);
  });

  it('must be an Ed25519 key', async () => {
    const path = join(folder, 'other.key');
    await writeFile(path, (await createTestAuthority()).key);
    await expect(openSigningKey(path)).rejects.toThrow(`${path} must be an Ed25519 key.`);
  });
});
