/** The few ASN.1 DER forms that a certificate is made of. */

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
}

function lengthOf(content: Buffer): Buffer {
  if (content.length < 128) return Buffer.from([content.length]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(content.length);
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([0x80 | significant.length]), significant]);
}

const TRUE = Buffer.from([0xff]);

export const der = {
  sequence: (...parts: Buffer[]) => tagged(0x30, Buffer.concat(parts)),
  set: (...parts: Buffer[]) => tagged(0x31, Buffer.concat(parts)),
  true: () => tagged(0x01, TRUE),
  /** A number that is not negative, big-endian. */
  integer: (bytes: Buffer) =>
    tagged(0x02, (bytes[0] ?? 0) < 128 ? bytes : Buffer.concat([Buffer.from([0]), bytes])),
  bitString: (bytes: Buffer, unusedBits = 0) =>
    tagged(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes])),
  octetString: (bytes: Buffer) => tagged(0x04, bytes),
  utf8String: (text: string) => tagged(0x0c, Buffer.from(text)),
  /** `[n]` around a value. */
  explicit: (n: number, content: Buffer) => tagged(0xa0 | n, content),
  /** `[n]` in place of a primitive value's own tag. */
  implicit: (n: number, content: Buffer) => tagged(0x80 | n, content),

  /** An object identifier in its dotted form. */
  oid(dotted: string): Buffer {
    const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
    return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
  },

  /** Certificates write years before 2050 with two digits. */
  time(date: Date): Buffer {
    const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
    return date.getUTCFullYear() < 2050
      ? tagged(0x17, Buffer.from(digits.slice(2)))
      : tagged(0x18, Buffer.from(digits));
  },
};

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift(0x80 | (left & 0x7f));
  return bytes;
}
