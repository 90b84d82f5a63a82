/** What of a run's parameters may be shown, for every way in which a schema can say that something is secret. */
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import { publicPart, secretPlaces, withSecretsOf } from '../../../server/parameters/secret-places';
import type { Parameters } from '../../../workflows/contract';

const secret = { type: 'string', writeOnly: true };
const login = {
  type: 'object',
  properties: { user: { type: 'string' }, password: secret },
};
const given = { rounds: 3, login: { user: 'ada', password: 'p' } };

describe('what is shown', () => {
  it.each<[why: string, schema: Parameters, parameters: Parameters, shown: Parameters]>([
    ['nothing is marked', {}, given, given],
    ['nothing is marked, and something is described', { properties: { rounds: {} } }, given, given],
    ['marked as not secret', { properties: { rounds: { writeOnly: false } } }, given, given],
    ['a property', { properties: { rounds: {}, login: secret } }, given, { rounds: 3 }],
    [
      'a property of a property',
      { properties: { rounds: {}, login } },
      given,
      { rounds: 3, login: { user: 'ada' } },
    ],
    [
      'what a schema that marks something does not describe',
      { properties: { login } },
      given,
      { login: { user: 'ada' } },
    ],
    ['a misspelt name', { properties: { password: secret } }, { pasword: 'p' }, {}],
    [
      'a misspelt name beside it',
      { properties: { login } },
      { login: { user: 'u', pasword: 'p' } },
      { login: { user: 'u' } },
    ],
    [
      'what is described and free',
      { properties: { a: true, b: secret } },
      { a: { any: [1] }, b: 'p' },
      { a: { any: [1] } },
    ],
    ['all of it', { writeOnly: true, properties: { rounds: {} } }, given, {}],
    ['what has the wrong type', { properties: { login } }, { login: 'ada:p' }, {}],
    ['null in the place of an object', { properties: { login } }, { login: null }, {}],
    [
      'a name by its pattern',
      { patternProperties: { '^s': secret, '^r': {} } },
      { s1: 'p', r1: 1 },
      { r1: 1 },
    ],
    ['by one of two patterns', { patternProperties: { r$: secret, '^r': {} } }, { r: 1, ro: 2 }, { ro: 2 }],
    ['other names', { properties: { r: {} }, additionalProperties: secret }, { r: 1, x: 'p' }, { r: 1 }],
    [
      'other names that are described',
      { properties: { s: secret }, additionalProperties: { type: 'number' } },
      { s: 'p', n: 1 },
      { n: 1 },
    ],
    [
      'other names that are only allowed',
      { properties: { s: secret }, additionalProperties: true },
      { s: 'p', n: 1 },
      {},
    ],
    [
      'what is left over',
      { properties: { r: {} }, unevaluatedProperties: secret },
      { r: 1, x: 'p' },
      { r: 1 },
    ],
    [
      'by reference',
      { $defs: { s: secret }, properties: { a: { $ref: '#/$defs/s' }, b: {} } },
      { a: 'p', b: 1 },
      { b: 1 },
    ],
    [
      'beside a reference',
      { $defs: { t: {} }, properties: { a: { $ref: '#/$defs/t', writeOnly: true }, b: {} } },
      { a: 'p', b: 1 },
      { b: 1 },
    ],
    [
      'by definitions of draft-07',
      { definitions: { 'a/b c': secret }, properties: { a: { $ref: '#/definitions/a~1b%20c' }, b: {} } },
      { a: 'p', b: 1 },
      { b: 1 },
    ],
    [
      'by a reference of a reference',
      { $defs: { s: secret, t: { $ref: '#/$defs/s' } }, properties: { a: { $ref: '#/$defs/t' } } },
      { a: 'p' },
      {},
    ],
    [
      'a tree',
      { properties: { name: {}, secret, next: { $ref: '#' } } },
      { name: 'a', next: { name: 'b', secret: 'p' } },
      { name: 'a', next: { name: 'b' } },
    ],
    [
      'references in a circle',
      { $defs: { s: { $ref: '#/$defs/s' } }, properties: { a: { $ref: '#/$defs/s' }, b: secret } },
      { a: 1, b: 'p' },
      { a: 1 },
    ],
    [
      'a reference that leads nowhere',
      { properties: { a: { $ref: '#/$defs/none' }, b: secret } },
      { a: 1, b: 'p' },
      {},
    ],
    [
      'a reference by name',
      { $defs: { t: { $anchor: 't' } }, properties: { a: { $ref: '#t' }, b: secret } },
      { a: 1, b: 'p' },
      {},
    ],
    [
      'a reference that is found at work',
      { properties: { a: { $dynamicRef: '#t' }, b: secret } },
      { a: 1, b: 'p' },
      {},
    ],
    [
      'a reference in a document of its own',
      { properties: { a: { $id: 'x', $defs: { t: secret }, $ref: '#/$defs/t' } }, $defs: { t: {} } },
      { a: 'p' },
      {},
    ],
    [
      'allOf',
      { allOf: [{ properties: { a: {}, b: {} } }, { properties: { a: secret } }] },
      { a: 'p', b: 1 },
      { b: 1 },
    ],
    [
      'anyOf, also where it does not fit',
      { properties: { a: { anyOf: [{ type: 'number' }, secret] } } },
      { a: 1 },
      {},
    ],
    ['oneOf', { oneOf: [{ properties: { a: {} } }, { properties: { a: secret } }] }, { a: 'p' }, {}],
    [
      'if, then and else',
      { if: { properties: { a: {} } }, then: { properties: { a: {} } }, else: { properties: { a: secret } } },
      { a: 'p' },
      {},
    ],
    [
      'what depends on others',
      { properties: { a: {} }, dependentSchemas: { b: { properties: { a: secret } } } },
      { a: 'p' },
      {},
    ],
    [
      'dependencies of draft-07',
      { properties: { a: {} }, dependencies: { b: { properties: { a: secret } }, c: ['a'] } },
      { a: 'p' },
      {},
    ],
    ['a mark where nobody looks', { properties: { a: { not: secret }, b: {} } }, { a: 'p', b: 1 }, { b: 1 }],
    [
      'a mark below an unknown keyword',
      { properties: { a: { 'x-form': { field: [secret] } }, b: {} } },
      { a: 'p', b: 1 },
      { b: 1 },
    ],
    ['a list', { properties: { a: { items: secret }, b: { items: {} } } }, { a: ['p'], b: [1] }, { b: [1] }],
    [
      'a list of which a part is secret',
      { properties: { a: { items: login } } },
      { a: [{ user: 'u' }, { password: 'p' }] },
      {},
    ],
    [
      'a list of which none is',
      { properties: { a: { items: login } } },
      { a: [{ user: 'u' }] },
      { a: [{ user: 'u' }] },
    ],
    [
      'one place of a list',
      { properties: { a: { prefixItems: [{}, secret] }, b: {} } },
      { a: [1, 'p'], b: 1 },
      { b: 1 },
    ],
    [
      'one place of a list of draft-07',
      { properties: { a: { items: [{}, secret], additionalItems: { type: 'number' } } } },
      { a: [1], b: 1 },
      { a: [1] },
    ],
    [
      'what comes after in a list',
      { properties: { a: { prefixItems: [{}], unevaluatedItems: secret } } },
      { a: [1, 'p'] },
      {},
    ],
    [
      'names that objects have by themselves',
      { properties: { toString: secret, constructor: {} } },
      { toString: 'p', constructor: 1, valueOf: 2 },
      { constructor: 1 },
    ],
  ])('%s', (_why, schema, parameters, shown) => {
    expect(publicPart(schema, parameters)).toEqual(shown);
  });

  it('names the places of the rest, none of them in another or in a list', () => {
    const schema = { properties: { login, tokens: { items: secret } }, additionalProperties: secret };
    const parameters = { login: { password: { old: 'p' } }, tokens: ['p'], other: { a: 'p' } };
    expect(secretPlaces(schema, parameters)).toEqual([['login', 'password'], ['tokens'], ['other']]);
  });
});

describe('what is sent back without its secrets', () => {
  const schema = { properties: { rounds: {}, login, key: secret } };
  const parameters = { rounds: 3, login: { user: 'ada', password: 'p' }, key: 'k' };
  const kept = { schema, parameters };

  it.each<[why: string, sent: Parameters, becomes: Parameters]>([
    ['keeps them', { rounds: 3, login: { user: 'ada' } }, parameters],
    [
      'is changed otherwise',
      { rounds: 4, login: { user: 'bob' } },
      { rounds: 4, login: { user: 'bob', password: 'p' }, key: 'k' },
    ],
    ['brings others', { ...parameters, key: 'new' }, { ...parameters, key: 'new' }],
    [
      'takes one away',
      { rounds: 3, login: { user: 'ada', password: null }, key: 'k' },
      { rounds: 3, login: { user: 'ada' }, key: 'k' },
    ],
    ['leaves out what one lies in', { rounds: 3 }, { rounds: 3, key: 'k' }],
    ['has something else there', { login: ['ada'] }, { login: ['ada'], key: 'k' }],
  ])('%s', (_why, sent, becomes) => {
    expect(withSecretsOf(kept, schema, sent)).toEqual(becomes);
  });

  it.each<[why: string, now: Parameters]>([
    ['nothing is marked any more', { properties: { key: {} } }],
    ['others are marked', { properties: { key: {}, other: secret } }],
    ['only a part of it is', { properties: { key: { properties: { a: secret, b: {} } } } }],
  ])('gets none that would be shown then: %s', (_why, now) => {
    const before = { schema, parameters: { key: { a: 1, b: 'p' } } };
    expect(withSecretsOf(before, now, {})).toEqual({});
  });
});

const names = fc.constantFrom('a', 'b', 'ab', 'toString', '__proto__');
const values = fc.letrec<{ value: Parameters[string] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom<Parameters[string]>(null, 'p', 1),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }) as fc.Arbitrary<Parameters[string]>,
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value;
const parametersOf = fc.dictionary(names, values, { maxKeys: 4 });

/** Schemas of every keyword that is followed, and some that are not. */
const { schema: schemas } = fc.letrec<{ schema: boolean | Parameters }>((tie) => {
  const below = tie('schema') as fc.Arbitrary<Parameters[string]>;
  const named = fc.dictionary(names, below, { maxKeys: 3 });
  const list = fc.array(below, { minLength: 1, maxLength: 2 });
  const keywords = fc.record(
    {
      type: fc.constantFrom('object', 'array', 'string'),
      writeOnly: fc.boolean(),
      properties: named,
      patternProperties: fc.dictionary(fc.constantFrom('a', '^b', '.'), below, { maxKeys: 2 }),
      ...{ additionalProperties: below, unevaluatedProperties: below },
      ...{ prefixItems: list, items: below, unevaluatedItems: below, contains: below },
      ...{ allOf: list, anyOf: list, oneOf: list, not: below, if: below, then: below, else: below },
      ...{ dependentSchemas: named, propertyNames: below },
      $ref: fc.constantFrom('#', '#/$defs/a', '#/$defs/b'),
    },
    { requiredKeys: [] },
  );
  return {
    schema: fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.constantFrom(true, false, {}), keywords),
  };
});
const documents = fc
  .tuple(fc.dictionary(names, schemas, { maxKeys: 4 }), schemas, schemas)
  .map(([properties, a, b]) => ({ properties, $defs: { a, b } }));

/** Where Ajv meets a mark while it validates, by JSON pointer; it does not look further than it has to. */
function marksMet(schema: Parameters, parameters: Parameters): string[] {
  const met: string[] = [];
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false, validateSchema: false });
  ajv.removeKeyword('writeOnly').addKeyword({
    keyword: 'writeOnly',
    validate: (isMarked: boolean, _value: unknown, _schema: unknown, where?: { instancePath: string }) => {
      if (isMarked) met.push(where?.instancePath ?? '');
      return true;
    },
  });
  ajv.validate(schema, parameters);
  return met;
}

describe('any schema', () => {
  it('never shows what a validator finds marked', () => {
    let met = 0;
    fc.assert(
      fc.property(documents, parametersOf, (schema, parameters) => {
        let marks: string[];
        try {
          marks = marksMet(schema, parameters);
        } catch {
          return; // Ajv does not take references in a circle.
        }
        const shown = publicPart(schema, parameters);
        met += marks.length;
        for (const pointer of marks) expect(find(shown, pointer)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(met).toBeGreaterThan(50);
  });

  it('hides nothing where nothing is marked', () => {
    const plain = documents.filter((schema) => !JSON.stringify(schema).includes('"writeOnly":true'));
    fc.assert(
      fc.property(plain, parametersOf, (schema, parameters) => {
        expect(publicPart(schema, parameters)).toEqual(parameters);
      }),
    );
  });

  it('gives everything back when its public part is sent back', () => {
    fc.assert(
      fc.property(documents, parametersOf, (schema, parameters) => {
        const sent = publicPart(schema, parameters);
        expect(withSecretsOf({ schema, parameters }, schema, sent)).toEqual(parameters);
      }),
      { numRuns: 300 },
    );
  });
});

function find(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (part, name) =>
        typeof part === 'object' && part !== null && Object.hasOwn(part, name)
          ? (part as Record<string, unknown>)[name]
          : undefined,
      value,
    );
}
