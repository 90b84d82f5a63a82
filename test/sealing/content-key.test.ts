/** A kit's key on its way to the site. */
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt } from 'jose';
import { newSiteKey } from '../../client/site-key';
import { openContentKey, sealContentKey } from '../../sealing/content-key';
import { createTestAuthority } from '../support/certificates';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

test('is opened with the key of the certificate that it was sealed to, and by no other', async () => {
  const { cert, key } = await (await createTestAuthority()).issueSite('a');
  const contentKey = randomBytes(32);
  const sealed = await sealContentKey(contentKey, new X509Certificate(cert).publicKey);
  expect(await openContentKey(sealed, createPrivateKey(key))).toEqual(contentKey);
  const other = createPrivateKey((await newSiteKey('b')).key);
  expect(await openContentKey(sealed, other)).toBeUndefined();
  expect(await sealContentKey(contentKey, new X509Certificate(cert).publicKey)).not.toBe(sealed);
});

test('what is no content key, or was sealed in another way, is none', async () => {
  const { publicKey, privateKey } = pair();
  expect(await openContentKey(await sealContentKey(randomBytes(16), publicKey), privateKey)).toBeUndefined();
  const direct = await new CompactEncrypt(randomBytes(32))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(publicKey);
  expect(await openContentKey(direct, privateKey)).toBeUndefined();
});

test('any text is opened or is not, and nothing else happens', async () => {
  const { publicKey, privateKey } = pair();
  const contentKey = randomBytes(32);
  const good = await sealContentKey(contentKey, publicKey);
  const [, ...rest] = good.split('.');
  const header = fc.record(
    {
      alg: fc.constantFrom('ECDH-ES+A256KW', 'none', 'dir'),
      enc: fc.constantFrom('A256GCM', 'A128GCM', ''),
      epk: fc.oneof(
        fc.jsonValue(),
        fc.record({ kty: fc.constant('EC'), crv: fc.constant('P-256'), x: fc.string(), y: fc.string() }),
      ),
    },
    { requiredKeys: [] },
  );
  const headed = header.map((head) =>
    [Buffer.from(JSON.stringify(head)).toString('base64url'), ...rest].join('.'),
  );
  const slip = fc.record({ at: fc.nat(good.length), put: fc.string({ maxLength: 3 }) });
  const damaged = slip.map(({ at, put }) => good.slice(0, at) + put + good.slice(at + 1));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), headed, damaged), async (text) => {
      expect([undefined, contentKey]).toContainEqual(await openContentKey(text, privateKey));
    }),
    { numRuns: 500 },
  );
});
