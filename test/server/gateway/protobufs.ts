/** Protobuf messages at random: made of fields that a test knows, written by somebody else's writer. */
import * as fc from 'fast-check';
import { Writer } from 'protobufjs';
import { Wire } from '../../../server/gateway/wire';

export type WrittenField = { number: number } & (
  | { wire: typeof Wire.varint; value: bigint }
  | { wire: typeof Wire.fixed64 | typeof Wire.fixed32; value: Uint8Array }
  | { wire: typeof Wire.bytes; value: Uint8Array }
);

export function write(fields: readonly WrittenField[]): Buffer {
  return Buffer.concat(fields.map(writeField));
}

function writeField({ number, wire, value }: WrittenField): Uint8Array {
  const tag = new Writer().uint32(((number << 3) | wire) >>> 0).finish();
  if (wire === Wire.varint) return Buffer.concat([tag, varint(value)]);
  if (wire !== Wire.bytes) return Buffer.concat([tag, value]);
  return Buffer.concat([tag, new Writer().bytes(value).finish()]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

const anyNumber = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 29 - 1 }));
const bytesOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

export const anyField: fc.Arbitrary<WrittenField> = fc.oneof(
  fc.record({
    number: anyNumber,
    wire: fc.constant(Wire.varint),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  fc.record({ number: anyNumber, wire: fc.constant(Wire.fixed64), value: bytesOf(8) }),
  fc.record({ number: anyNumber, wire: fc.constant(Wire.fixed32), value: bytesOf(4) }),
  fc.record({ number: anyNumber, wire: fc.constant(Wire.bytes), value: fc.uint8Array({ maxLength: 300 }) }),
);
export const anyFields = fc.array(anyField, { maxLength: 30 });

/** A message that somebody has damaged: cut, with bytes changed, with pieces twice or from elsewhere. */
export function damaged(messages: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const at = (message: Buffer, where: number) => Math.floor(where * message.length);
  return fc.oneof(
    messages,
    fc.tuple(messages, place).map(([message, end]) => message.subarray(0, at(message, end))),
    fc.tuple(messages, fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 5 })).map(([message, changes]) => {
      const changed = Buffer.from(message);
      for (const [where, byte] of changes) changed[at(message, where)] = byte;
      return changed;
    }),
    fc
      .tuple(messages, messages, place)
      .map(([message, other, where]) =>
        Buffer.concat([message.subarray(0, at(message, where)), other, message.subarray(at(message, where))]),
      ),
    fc.tuple(messages, messages).map((pair) => Buffer.concat(pair)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
}
