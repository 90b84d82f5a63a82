/** Whatever comes for the signed word on a launch, the key of a kit or the signature of a computation: it is what was signed, or nothing. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { signComputation, signatureOf } from '../../activities/shared/signed-computation';
import { openContentKey, sealContentKey } from '../../sealing/content-key';
import { readManifest, signManifest, type LaunchManifest } from '../../sealing/launch-manifest';
import type { NodeComputation } from '../../workflows/contract';
import { nodeComputation } from '../../workflows/launch-context';
import { runInput } from '../support/run-input';
import { fuzz } from './fuzz';

const instance = generateKeyPairSync('ed25519');
const site = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const contentKey = Buffer.alloc(32, 7);
const manifest: LaunchManifest = {
  ...{ aud: 'a', runId: 'r', launchId: 'launch000001', consortium: { id: 'palmer', name: 'Palmer' } },
  computation: { name: 'example', version: '1.0.0', digest: 'b'.repeat(64) },
  kit: { key: 'runs/r/launch000001/kits/a.zip', sha256: 'a'.repeat(64), size: 100 },
  ...{ dataset: 'data', iat: 1, exp: 301, jti: 'once' },
};
const computation: NodeComputation = {
  ...nodeComputation(runInput(['a'])),
  image: `example@sha256:${'c'.repeat(64)}`,
};

const good = { manifest: '', contentKey: '', signature: '', signer: '' };
beforeAll(async () => {
  good.manifest = await signManifest(manifest, instance.privateKey);
  good.contentKey = await sealContentKey(contentKey, site.publicKey);
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  good.signer = (await exportJWK(publicKey)).x ?? '';
  good.signature = (await signComputation(computation, { privateKey, publicKey: good.signer })) ?? '';
});

const base64url = (text: string) => Buffer.from(text).toString('base64url');
const headers = fc.oneof(
  fc.record(
    {
      alg: fc.constantFrom('EdDSA', 'none', 'HS256', 'ES256', 'ECDH-ES+A256KW', 'dir', 'PBES2-HS512+A256KW'),
      typ: fc.constantFrom('muster-launch+jws', 'muster-computation+jws', 'JWT'),
      enc: fc.constantFrom('A256GCM', 'A128CBC-HS256', 'zip'),
      kid: fc.oneof(fc.string({ maxLength: 50 }), fc.constant('A'.repeat(43))),
      crit: fc.constant(['b64']),
      b64: fc.boolean(),
      zip: fc.constant('DEF'),
      p2c: fc.constantFrom(1, 2 ** 31),
      p2s: fc.constant('AAAAAAAAAAA'),
      epk: fc.oneof(
        fc.jsonValue(),
        fc.constant({ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }),
      ),
      jwk: fc.constant(instance.publicKey.export({ format: 'jwk' })),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const part = fc.oneof(
  fc.jsonValue().map((value) => base64url(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.constantFrom(base64url(JSON.stringify(manifest)), '', '.', '='),
);
const slips = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(3),
    put: fc.oneof(fc.constantFrom('', '.', '-', '=', 'A', '\0'), fc.string({ maxLength: 3 })),
  }),
  { minLength: 1, maxLength: 3 },
);
type Change = (text: string) => string;

/** What is made of the good one. */
const kinds: Record<string, fc.Arbitrary<Change>> = {
  'any text': fc.string({ unit: 'binary', maxLength: 300 }).map((text) => () => text),
  'headers at random': fc.tuple(headers, fc.array(part, { minLength: 1, maxLength: 5 })).map(
    ([header, parts]) =>
      () =>
        [base64url(JSON.stringify(header)), ...parts].join('.'),
  ),
  'another header': headers.map(
    (header) => (text) => text.replace(/^[^.]*/, base64url(JSON.stringify(header))),
  ),
  'a damaged one': slips.map(
    (list) => (text) =>
      list.reduce((all, { at, cut, put }) => {
        const place = Math.floor(at * all.length);
        return all.slice(0, place) + put + all.slice(place + cut);
      }, text),
  ),
};

fuzz('the signed word on a launch', kinds, async (change) => {
  const read = await readManifest(change(good.manifest), instance.publicKey);
  if ('manifest' in read) expect(read.manifest).toEqual(manifest);
  else expect(read.problem).toMatch(/^it is /);
});

fuzz(
  'what the centre may sign',
  {
    'any value': fc.jsonValue(),
    'another part': fc
      .tuple(fc.constantFrom(...Object.keys(manifest)), fc.jsonValue())
      .map(([key, value]) => ({ ...manifest, [key]: value })),
  },
  async (value) => {
    const header = { alg: 'EdDSA', typ: 'muster-launch+jws' };
    const payload = Buffer.from(JSON.stringify(value));
    const signed = await new CompactSign(payload).setProtectedHeader(header).sign(instance.privateKey);
    const read = await readManifest(signed, instance.publicKey);
    if ('manifest' in read) expect(read.manifest).toEqual(JSON.parse(JSON.stringify(value)));
    else expect(read.problem).toBe('it is not of the agreed form');
  },
);

fuzz('the key of a kit', kinds, async (change) => {
  const opened = await openContentKey(change(good.contentKey), site.privateKey);
  if (opened) expect(opened).toEqual(contentKey);
});

fuzz('the signature of a computation', kinds, async (change) => {
  const { signer, flaw } = await signatureOf({ ...computation, signature: change(good.signature) });
  if (signer === undefined) expect(flaw).toMatch(/^its signature /);
  else expect(signer).toBe(good.signer);
});
