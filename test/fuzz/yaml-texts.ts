/** Texts that a parser of YAML should survive: bytes, structures, and what is known to break parsers. */
import fc from 'fast-check';
import { stringify } from 'yaml';

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array).toString('utf8'));
const pieces = fc
  .array(
    fc.constantFrom(
      ...[
        'a: ',
        '- ',
        '? ',
        ': ',
        '&x ',
        '*x',
        '!!set ',
        '!!binary ',
        '!!omap ',
        '<<: ',
        '|\n',
        '>-\n',
        '\n',
        '  ',
        '\t',
      ],
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        '"',
        "'",
        '#',
        '%YAML 1.1\n',
        '---\n',
        '...\n',
        '\u0000',
        '\ufeff',
        '~',
        '.nan',
        '0x1',
      ],
      ...[
        'site: a\n',
        'name: a\n',
        'version: 1\n',
        'computations:\n',
        'datasets:\n',
        '__proto__: ',
        'constructor: ',
      ],
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

/** Values of any shape, below the keys that the files have. */
const value = fc.jsonValue({ maxDepth: 4 });
const structures = (keys: readonly string[]) =>
  fc
    .dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 12 })), value, { maxKeys: 12 })
    .map((object) => stringify(object));

/** A good text that somebody has damaged: cut, with letters changed, with pieces of it twice or from elsewhere. */
const damaged = (good: string) =>
  fc
    .array(fc.record({ at: fc.nat(good.length), cut: fc.nat(20), put: fc.oneof(pieces, bytes) }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((slips) =>
      slips.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), good),
    );

/** A good value, of which one part is another. */
const changed = (good: Record<string, unknown>) =>
  fc
    .tuple(fc.constantFrom(...pathsIn(good)), fc.oneof(value, fc.constantFrom('', '../..', -1, 1e308, null)))
    .map(([path, part]) => stringify(withPart(good, path, part)));

function pathsIn(good: unknown): string[][] {
  if (typeof good !== 'object' || good === null) return [];
  return Object.entries(good).flatMap(([key, inside]) => [
    [key],
    ...pathsIn(inside).map((path) => [key, ...path]),
  ]);
}

function withPart(whole: unknown, [key, ...path]: readonly string[], part: unknown): unknown {
  if (key === undefined) return part;
  const copy = structuredClone(whole) as Record<string, unknown>;
  copy[key] = withPart(copy[key], path, part);
  return copy;
}

/** Texts of every kind, for a parser that knows these keys and would take `good`. */
export const textsLike = (keys: readonly string[], good: Record<string, unknown>) => ({
  'any text': fc.oneof(bytes, fc.string({ maxLength: 400 }), pieces),
  'any structure': structures(keys),
  'a damaged text': damaged(stringify(good)),
  'a changed structure': changed(good),
});

const repeat = (text: string, times: number) => text.repeat(times);
const chain = (width: number, rows: number) =>
  Array.from({ length: rows }, (_, row) => {
    const parts = row === 0 ? 'x' : `*a${row - 1}`;
    return `a${row}: &a${row} [${Array<string>(width).fill(parts).join(', ')}]`;
  }).join('\n');

/** By what each of them is. */
export const BOMBS: readonly [string, string][] = [
  ['aliases of aliases', chain(10, 10)],
  ['few aliases of many aliases', chain(2, 60)],
  ['a list that is in itself', 'site: &a [*a]'],
  ['a map that is in itself', 'datasets: &a { b: *a }\nparameters: &c { d: *c }'],
  ['the whole that is in itself', '&a { name: *a, parameters: *a }'],
  ['lists in lists', repeat('[', 100_000)],
  ['lists in lists that are closed', repeat('[', 20_000) + repeat(']', 20_000)],
  ['maps in maps', repeat('{a: ', 50_000)],
  ['dashes', repeat('- ', 100_000)],
  ['question marks', repeat('? ', 100_000)],
  ['indentation', Array.from({ length: 600 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')],
  ['many keys', Array.from({ length: 25_000 }, (_, n) => `k${n}: 1`).join('\n')],
  ['many equal keys', repeat('a: 1\n', 40_000)],
  ['many anchors', Array.from({ length: 8_000 }, (_, n) => `- &a${n} x\n- *a${n}`).join('\n')],
  ['many lines of nothing', repeat('\n', 200_000)],
  ['a long text', `site: "${repeat('x', 200_000)}"`],
  ['a long number', `version: ${repeat('9', 100_000)}`],
  ['many tags', repeat('!!x ', 50_000)],
  ['many documents', repeat('---\na\n', 30_000)],
  ['more than is read', repeat('# nothing\n', 40_000)],
  ['quotes that are not closed', repeat('"', 100_001)],
];
