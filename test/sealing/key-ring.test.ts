import * as fc from 'fast-check';
import { z } from 'zod';
import { KeyRing, KeyRingText, keyIdOf, type NamedKey } from '../../sealing/key-ring';

const key = (id: string, byte = 7): NamedKey => ({ id, secret: Buffer.alloc(32, byte) });
const text = ({ id, secret }: NamedKey) => `${id}:${secret.toString('base64url')}`;
const ring = new KeyRing([key('k1')], 'letters');
const plain = Buffer.from('what nobody else shall read');

describe('what is sealed', () => {
  it('opens together with what it was bound to, whatever both are, and is never the same twice', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.option(fc.string({ unit: 'grapheme' })),
        (bytes, to) => {
          const bound = to === null ? [] : [to];
          const sealed = ring.seal(bytes, ...bound);
          expect(ring.open(sealed, ...bound)).toEqual(Buffer.from(bytes));
          expect(ring.open(new Uint8Array(sealed), ...bound)).toEqual(Buffer.from(bytes));
          expect(ring.seal(bytes, ...bound)).not.toEqual(sealed);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('shows nothing but the name of its key', () => {
    const sealed = ring.seal(plain, 'run-1');
    expect(keyIdOf(sealed)).toBe('k1');
    expect(sealed.includes(plain.subarray(0, 4))).toBe(false);
    expect(sealed.includes('run-1')).toBe(false);
  });

  it.each<[string, KeyRing, string]>([
    ['bound to something else', ring, 'run-2'],
    ['bound to nothing', ring, ''],
    ['bound to more', ring, 'run-1 '],
    ['for another purpose', new KeyRing([key('k1')], 'letter'), 'run-1'],
    ['with another key of the same name', new KeyRing([key('k1', 8)], 'letters'), 'run-1'],
    ['with the same key by another name', new KeyRing([key('k2')], 'letters'), 'run-1'],
  ])('does not open %s', (_how, other, bound) => {
    const sealed = ring.seal(plain, 'run-1');
    expect(ring.open(sealed, 'run-1')).toEqual(plain);
    expect(other.open(sealed, bound)).toBeUndefined();
  });

  it('does not open when a single bit of it is another, or bytes are missing or too many', () => {
    const sealed = ring.seal(plain);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(ring.open(changed)).toBeUndefined();
    }
    for (let end = 0; end < sealed.length; end++) expect(ring.open(sealed.subarray(0, end))).toBeUndefined();
    expect(ring.open(Buffer.concat([sealed, Buffer.alloc(1)]))).toBeUndefined();
  });

  it('cannot be made by whoever has no key', () => {
    const seeming = fc
      .uint8Array({ maxLength: 200 })
      .map((rest) => Buffer.concat([Buffer.from('\x01\x02k1', 'latin1'), rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), seeming), (bytes) => {
        expect(ring.open(bytes)).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  it('outlives the change of keys for as long as its own is in the ring', () => {
    const old = ring.seal(plain);
    const changing = new KeyRing([key('k2', 8), key('k1')], 'letters');
    const changed = new KeyRing([key('k2', 8)], 'letters');
    expect(changing.open(old)).toEqual(plain);
    expect(keyIdOf(changing.seal(plain))).toBe('k2');
    expect(changed.open(changing.seal(plain))).toEqual(plain);
    expect(ring.open(changing.seal(plain))).toBeUndefined();
    expect(changed.open(old)).toBeUndefined();
  });
});

it.each([
  ['nothing', ''],
  ['the form of another version', '\x02\x02k1.............................'],
  ['a name that is cut off', '\x01\x20k1'],
  ['no name', '\x01\x00.............................'],
])('%s names no key', (_what, sealed) => {
  expect(keyIdOf(Buffer.from(sealed, 'latin1'))).toBeUndefined();
});

describe('a setting that holds keys', () => {
  const Settings = z.object({ KEYS: KeyRingText });
  const read = (KEYS?: string) => Settings.safeParse({ KEYS });

  it('names the key that seals first, then the others', () => {
    const [a, b] = [key('2026-a'), key('old_B', 8)];
    expect(read(text(a)).data).toEqual({ KEYS: [a] });
    expect(read(`${text(a)}, ${text(b)}`).data).toEqual({ KEYS: [a, b] });
  });

  it.each<[string, string | undefined, RegExp]>([
    ['absent', undefined, /^is not set: make one with `node -p /],
    ['empty', '', /^must be id:key.*make one/],
    ['without a name', key('k').secret.toString('base64url'), /^must be id:key/],
    ['with a key that is too short', 'k1:abc', /^must be id:key/],
    ['with a key that is too long', `${text(key('k1'))}A`, /^must be id:key/],
    ['with a name that is too long', text(key('k'.repeat(33))), /^must be id:key/],
    ['with a name twice', `${text(key('k1'))},${text(key('k1', 8))}`, /each id once/],
    ['with a key and something else', `${text(key('k1'))},`, /^must be id:key/],
    ['with something else and a key', `,${text(key('k1'))}`, /^must be id:key/],
  ])('is refused when it is %s', (_how, setting, why) => {
    expect(
      read(setting)
        .error?.issues.map(({ message }) => message)
        .join(),
    ).toMatch(why);
  });
});
