import 'reflect-metadata';
import { ExtendedKeyUsage, PemConverter, SubjectAlternativeNameExtension } from '@peculiar/x509';
import * as fc from 'fast-check';
import { NotASiteCertificate, siteIdentityOf } from '../../../server/identity/certificate';
import { createTestAuthority, type Subject, type TestAuthority } from '../../support/certificates';

const der = (pem: string) => Buffer.from(PemConverter.decodeFirst(pem));

describe('who a certificate says that its holder is', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await createTestAuthority();
  });

  it('is a site, by its id', async () => {
    const serialNumber = '00ff'.padEnd(32, 'a').replace(/^00/, '40');
    const { cert } = await authority.issueSite('biscoe', { serialNumber, until: 1_000_000 });
    const { siteId, serial, notAfter } = siteIdentityOf(der(cert));
    expect({ siteId, serial }).toEqual({ siteId: 'biscoe', serial: serialNumber });
    expect(Math.abs(notAfter - Date.now() - 1_000_000)).toBeLessThan(60_000);
  });

  it.each<[string, Subject]>([
    ['another name than its subject', { names: [{ type: 'url', value: 'urn:muster:site:dream' }] }],
    ['a name in another form', { names: [{ type: 'dns', value: 'urn:muster:site:biscoe' }] }],
    ['no name', { names: [] }],
    [
      'two names',
      {
        names: ['biscoe', 'dream'].map((id) => ({ type: 'url', value: `urn:muster:site:${id}` })),
      },
    ],
    [
      'names given twice',
      { more: [new SubjectAlternativeNameExtension([{ type: 'url', value: 'urn:muster:site:biscoe' }])] },
    ],
    ['a subject that is no id', { subject: [{ CN: ['Biscoe'] }] }],
    ['the name of a node', { subject: [{ CN: ['central'] }] }],
    ['two subjects', { subject: [{ CN: ['biscoe'] }, { CN: ['dream'] }] }],
    ['a subject of two parts', { subject: [{ CN: ['biscoe'], O: ['dream'] }] }],
    ['no subject', { subject: [] }],
    ['another use', { usages: [ExtendedKeyUsage.serverAuth] }],
    ['more than one use', { usages: [ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth] }],
    ['any use', { usages: [] }],
    ['an authority', { isAuthority: true }],
    ['a short serial number', { serialNumber: '5a01' }],
    ['a long serial number', { serialNumber: `5a${'01'.repeat(16)}` }],
  ])('is refused to be said by one with %s', async (_what, but) => {
    const { cert } = await authority.issueSite('biscoe', but);
    expect(() => siteIdentityOf(der(cert))).toThrow(NotASiteCertificate);
  });

  it('is not said by anything else', async () => {
    const good = der((await authority.issueSite('biscoe')).cert);
    expect(() => siteIdentityOf(der(authority.cert))).toThrow(NotASiteCertificate);
    expect(() => siteIdentityOf(Buffer.concat([good, Buffer.from('more')]))).toThrow(NotASiteCertificate);
    expect(() => siteIdentityOf(Buffer.concat([good, good]))).toThrow(NotASiteCertificate);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => siteIdentityOf(Buffer.from(bytes))).toThrow(NotASiteCertificate);
      }),
    );
  });

  it('is either the same or nothing, whatever byte is changed', async () => {
    const good = der((await authority.issueSite('biscoe')).cert);
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(good);
        changed.writeUInt8(changed.readUInt8(at) ^ change, at);
        try {
          expect(siteIdentityOf(changed).siteId).toBe('biscoe');
        } catch (error) {
          if (!(error instanceof NotASiteCertificate)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
