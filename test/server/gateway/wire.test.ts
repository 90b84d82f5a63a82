import * as fc from 'fast-check';
import {
  MalformedMessage,
  Wire,
  bytesField,
  each,
  edit,
  fieldsOf,
  number,
  once,
} from '../../../server/gateway/wire';
import { anyFields, write } from './protobufs';

const RUNS = { numRuns: 2_000 };
const bytes = (...values: number[]) => Buffer.from(values);
const text = (content: string) => Buffer.from(content);
const kindOf = (field: { number: number; wire: Wire }) => `${field.number} ${field.wire}`;
const twoTexts = write([
  { number: 1, wire: Wire.bytes, value: text('one') },
  { number: 2, wire: Wire.bytes, value: text('two') },
]);

describe('any message', () => {
  it('is read field by field, to its end', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const message = write(fields);
        const read = [...fieldsOf(message)];
        expect(read.map(kindOf).join()).toBe(fields.map(kindOf).join());
        const parts = read.map(({ start, end }) => message.subarray(start, end));
        expect(Buffer.concat(parts).equals(message)).toBe(true);
      }),
      RUNS,
    );
  });

  it('is what it was where nothing is changed', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const message = write(fields.filter((field) => field.number > 20 || field.wire === Wire.bytes));
        const untouched = Object.fromEntries(
          Array.from({ length: 20 }, (_, index) => [index + 1, each((content) => content)]),
        );
        expect(edit(message, untouched)).toBe(message);
      }),
      RUNS,
    );
  });

  it('keeps all the others, in their order, where one field is changed', () => {
    fc.assert(
      fc.property(anyFields, fc.uint8Array({ maxLength: 300 }), (fields, content) => {
        const others = fields.filter((field) => field.number !== 7);
        const place = Math.floor(others.length / 2);
        const withSeven = (value: Uint8Array) =>
          write([...others.slice(0, place), { number: 7, wire: Wire.bytes, value }, ...others.slice(place)]);
        const changed = edit(withSeven(text('before')), {
          7: once((before) => {
            expect(String(before)).toBe('before');
            return Buffer.from(content);
          }),
        });
        expect(changed.equals(withSeven(content))).toBe(true);
        expect(edit(changed, { 7: each(() => undefined) }).equals(write(others))).toBe(true);
      }),
      RUNS,
    );
  });
});

it('adds a field that is not there', () => {
  expect(edit(twoTexts, { 3: once(() => text('three')) })).toEqual(
    Buffer.concat([twoTexts, bytesField(3, text('three'))]),
  );
});

it('leaves a field out', () => {
  expect(edit(twoTexts, { 1: each(() => undefined) })).toEqual(bytesField(2, text('two')));
});

it('shows a number', () => {
  const seen: unknown[] = [];
  const message = write([{ number: 4, wire: Wire.varint, value: 2n ** 63n }]);
  const show = number((value) => seen.push(value));
  expect(edit(message, { 4: show, 5: show })).toBe(message);
  expect(seen).toEqual([2n ** 63n, undefined]);
});

describe('refuses', () => {
  const keep = once((content) => content);
  it.each([
    ['what may be there once, twice', Buffer.concat([twoTexts, twoTexts]), /twice/],
    ['a field of another kind', bytes(0x08, 1), /wrong kind/],
    ['a field that is longer than the message', bytes(0x0a, 5, 1), /cut off/],
    ['a length beyond all numbers', bytes(0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), /cut off/],
    ['a number without an end', bytes(0x10, 255, 255), /cut off/],
    ['a number of eleven bytes', bytes(0x10, ...Array<number>(10).fill(255), 1), /too long/],
    ['a number of more than 64 bits', bytes(0x10, ...Array<number>(9).fill(255), 2), /too long/],
    ['a field of number 0', bytes(0x02, 0), /no field 0/],
    ['a field of too high a number', bytes(0x82, 0x80, 0x80, 0x80, 0x10, 0), /no field 536870912/],
    ['a group', bytes(0x13, 0x14), /unknown kind 3/],
    ['too many fields', Buffer.alloc(20_002, bytes(0x50, 1)), /more than/],
  ])('%s', (_, message, why) => {
    expect(() => edit(message, { 1: keep })).toThrow(MalformedMessage);
    expect(() => edit(message, { 1: keep })).toThrow(why);
  });
});
