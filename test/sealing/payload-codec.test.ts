import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import * as fc from 'fast-check';
import { createPayloadCodec } from '../../sealing/payload-codec';
import { failureConverter } from '../../sealing/failure-converter';
import type { NamedKey } from '../../sealing/key-ring';

const key = (id: string, byte = 7): NamedKey => ({ id, secret: Buffer.alloc(32, byte) });
const codec = createPayloadCodec([key('k1')]);
const plain = (value: unknown) => defaultPayloadConverter.toPayload(value);
const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('latin1');

const payload: fc.Arbitrary<Payload> = fc.record({
  metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array({ maxLength: 20 }), { maxKeys: 4 }),
  data: fc.uint8Array({ maxLength: 200 }),
});

/** Whatever kind of bytes a side uses. */
const bytesOf = (payloads: Payload[]) =>
  payloads.map(({ metadata, data }) => [
    Object.entries(metadata ?? {})
      .map(([name, value]) => [name, text(value)])
      .sort(),
    text(data),
  ]);

it('payloads come back as they were, in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(payload, { maxLength: 5 }), async (payloads) => {
      const sealed = await codec.encode(payloads);
      expect(sealed).toHaveLength(payloads.length);
      expect(bytesOf(await codec.decode(sealed))).toEqual(bytesOf(payloads));
    }),
  );
});

it('shows neither a value nor how it is encoded', async () => {
  const [sealed] = await codec.encode([plain({ canary: 'yellow' })]);
  expect(text(sealed?.metadata?.encoding)).toBe('binary/encrypted');
  expect(Object.keys(sealed?.metadata ?? {})).toEqual(['encoding']);
  expect(text(sealed?.data)).not.toMatch(/canary|yellow|json/);
});

it('passes what was never sealed, so that histories from before can be read', async () => {
  const before = [plain('from before'), {}, plain(undefined)];
  const [sealed] = await codec.encode([plain('from now')]);
  const opened = await codec.decode([...before, sealed!]);
  expect(opened.slice(0, 3)).toEqual(before);
  expect(defaultPayloadConverter.fromPayload(opened[3]!)).toBe('from now');
});

it('seals anew what pretends to be sealed, so that nobody has another’s payload opened', async () => {
  const [stolen] = await codec.encode([plain('of another')]);
  const [wrapped] = await codec.encode([stolen!]);
  expect(bytesOf(await codec.decode([wrapped!]))).toEqual(bytesOf([stolen!]));
});

it.each<[string, NamedKey[], RegExp]>([
  [
    'a key that is not here',
    [key('k2', 8)],
    /sealed by the key k1, which is not in MUSTER_PAYLOAD_KEYS \(k2\)/,
  ],
  ['another key of its name', [key('k1', 8)], /the key of that name in MUSTER_PAYLOAD_KEYS does not open it/],
])('says what is missing for what was sealed by %s', async (_what, [first, ...more], why) => {
  const sealed = await codec.encode([plain(1)]);
  await expect(createPayloadCodec([first!, ...more]).decode(sealed)).rejects.toThrow(why);
});

it('says so when something only seems to be sealed', async () => {
  const seeming = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('{}') };
  await expect(codec.decode([seeming])).rejects.toThrow('says that it is sealed, and is not');
});

it('opens with a new key in front what the old one sealed', async () => {
  const sealed = await codec.encode([plain('old')]);
  const [opened] = await createPayloadCodec([key('k2', 8), key('k1')]).decode(sealed);
  expect(defaultPayloadConverter.fromPayload(opened!)).toBe('old');
});

it('a failure says in the open what kind it is, and nothing else', async () => {
  const cause = new Error('at /home/canary');
  const error = ApplicationFailure.create({
    message: 'canary',
    type: 'NodeFailed',
    details: ['canary'],
    cause,
  });
  const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
  for (const each of [failure, failure.cause!]) {
    expect([each.message, each.stackTrace]).toEqual(['Encoded failure', '']);
    const [words] = await codec.encode([each.encodedAttributes!]);
    expect(text(words?.data)).not.toContain('canary');
  }
  expect(failure.applicationFailureInfo?.type).toBe('NodeFailed');
  const caught = failureConverter.failureToError(failure, defaultPayloadConverter);
  expect(caught).toMatchObject({
    message: 'canary',
    stack: error.stack,
    cause: { message: 'at /home/canary' },
  });
});
