/**
 * Edits protobuf messages as bytes: a few fields are read, replaced or left out; everything else stays as it came, in
 * its order, known or not. Whatever two readers could understand differently is refused.
 */

/** A message that cannot be read, or not in one way only. */
export class MalformedMessage extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedMessage';
  }
}

/** The kinds of field that protobuf has now; groups are of old and nobody here sends them. */
export const Wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
export type Wire = (typeof Wire)[keyof typeof Wire];

/** Where a field lies in its message. */
export interface Field {
  readonly number: number;
  readonly wire: Wire;
  /** Of its tag. */
  readonly start: number;
  /** Of its content: behind the tag and, where there is one, the length. */
  readonly content: number;
  readonly end: number;
}

/** What becomes of the fields of one number. */
export type FieldEdit =
  | { readonly kind: 'once'; change(content: Buffer | undefined): Buffer | undefined }
  | { readonly kind: 'each'; change(content: Buffer): Buffer | undefined }
  | { readonly kind: 'number'; check(value: bigint | undefined): void };
export type Edits = Readonly<Record<number, FieldEdit>>;

const HIGHEST_NUMBER = 2 ** 29 - 1;
/** More than any message of ours has on one level; a flood of tiny fields costs no more than this. */
const MOST_FIELDS = 10_000;
const VARINT_BYTES = 10;

/**
 * A field of bytes, text or a message that may be there once: a second one would leave open which of the two the next
 * reader takes. Its content is what `change` answers; `undefined` is no field, in both directions.
 */
export function once(change: (content: Buffer | undefined) => Buffer | undefined): FieldEdit {
  return { kind: 'once', change };
}

/** A repeated field of bytes, text or messages, or one that readers merge. */
export function each(change: (content: Buffer) => Buffer | undefined): FieldEdit {
  return { kind: 'each', change };
}

/** A number that may be there once, looked at and left as it is. */
export function number(check: (value: bigint | undefined) => void): FieldEdit {
  return { kind: 'number', check };
}

/**
 * The message after the edits; the very same buffer if they changed nothing.
 * @throws MalformedMessage, and what an edit throws
 */
export function edit(message: Buffer, edits: Edits): Buffer {
  const pieces: Buffer[] = [];
  const seen = new Set<number>();
  let kept = 0;
  for (const field of fieldsOf(message)) {
    const wanted = edits[field.number];
    if (!wanted) continue;
    if (wanted.kind !== 'each' && seen.has(field.number))
      throw new MalformedMessage(`field ${field.number} is there twice`);
    seen.add(field.number);
    mustBe(wanted.kind === 'number' ? Wire.varint : Wire.bytes, field);
    if (wanted.kind === 'number') {
      wanted.check(readVarint(message, field.content));
      continue;
    }
    const content = message.subarray(field.content, field.end);
    const changed = wanted.change(content);
    if (changed === content) continue;
    pieces.push(message.subarray(kept, field.start));
    if (changed) pieces.push(...bytesPieces(field.number, changed));
    kept = field.end;
  }
  const added = absent(edits, seen);
  if (pieces.length === 0 && added.length === 0) return message;
  return Buffer.concat([...pieces, message.subarray(kept), ...added]);
}

/** A field of bytes, text or a message. */
export function bytesField(fieldNumber: number, content: Buffer): Buffer {
  return Buffer.concat(bytesPieces(fieldNumber, content));
}

/**
 * The fields of a message, in order.
 * @throws MalformedMessage
 */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let start = 0;
  for (let count = 0; start < message.length; count++) {
    if (count === MOST_FIELDS) throw new MalformedMessage(`there are more than ${MOST_FIELDS} fields`);
    const afterTag = varintEnd(message, start);
    const tag = readVarint(message, start);
    const fieldNumber = Number(tag >> 3n);
    if (fieldNumber < 1 || fieldNumber > HIGHEST_NUMBER)
      throw new MalformedMessage(`there is no field ${fieldNumber}`);
    const field = layOut(message, Number(tag & 7n), { number: fieldNumber, start, afterTag });
    yield field;
    start = field.end;
  }
}

function layOut(
  message: Buffer,
  wire: number,
  { number: fieldNumber, start, afterTag }: { number: number; start: number; afterTag: number },
): Field {
  const within = (content: number, end: number, kind: Wire): Field => {
    if (end > message.length) throw new MalformedMessage(`field ${fieldNumber} is cut off`);
    return { number: fieldNumber, wire: kind, start, content, end };
  };
  switch (wire) {
    case Wire.varint:
      return within(afterTag, varintEnd(message, afterTag), Wire.varint);
    case Wire.fixed64:
      return within(afterTag, afterTag + 8, Wire.fixed64);
    case Wire.fixed32:
      return within(afterTag, afterTag + 4, Wire.fixed32);
    case Wire.bytes: {
      const content = varintEnd(message, afterTag);
      // A length beyond what a number holds exactly is beyond the end of the message too.
      return within(content, content + Number(readVarint(message, afterTag)), Wire.bytes);
    }
    default:
      throw new MalformedMessage(`field ${fieldNumber} is of the unknown kind ${wire}`);
  }
}

function mustBe(wire: Wire, field: Field): void {
  if (field.wire !== wire) throw new MalformedMessage(`field ${field.number} is of the wrong kind`);
}

function absent(edits: Edits, seen: ReadonlySet<number>): Buffer[] {
  const added: Buffer[] = [];
  for (const [key, wanted] of Object.entries(edits)) {
    const fieldNumber = Number(key);
    if (seen.has(fieldNumber)) continue;
    if (wanted.kind === 'number') wanted.check(undefined);
    if (wanted.kind !== 'once') continue;
    const content = wanted.change(undefined);
    if (content) added.push(...bytesPieces(fieldNumber, content));
  }
  return added;
}

function bytesPieces(fieldNumber: number, content: Buffer): [Buffer, Buffer] {
  const head = [...varintBytes((fieldNumber << 3) | Wire.bytes), ...varintBytes(content.length)];
  return [Buffer.from(head), content];
}

function* varintBytes(value: number): Generator<number> {
  // Not by shifts: a tag may need all of its 32 bits.
  let rest = value >>> 0;
  for (; rest > 127; rest = Math.floor(rest / 128)) yield (rest % 128) + 128;
  yield rest;
}

/** The end of the varint that starts there. */
function varintEnd(message: Buffer, start: number): number {
  for (let at = start; at < start + VARINT_BYTES; at++) {
    const byte = message[at];
    if (byte === undefined) throw new MalformedMessage('a number is cut off');
    if (byte < 128) {
      // Ten bytes carry 70 bits, of which readers take 64: some cut the others off, some refuse them.
      if (at === start + VARINT_BYTES - 1 && byte > 1) break;
      return at + 1;
    }
  }
  throw new MalformedMessage('a number is too long');
}

function readVarint(message: Buffer, start: number): bigint {
  const first = message[start] ?? 0;
  if (first < 128) return BigInt(first);
  let value = 0n;
  for (let at = varintEnd(message, start) - 1; at >= start; at--)
    value = (value << 7n) | BigInt((message[at] ?? 0) & 127);
  return value;
}
