import fc from 'fast-check';
import { parseComputation, parseParameters, parseSites, tryConsortium } from '../../cli/arguments';
import { UsageError } from '../../cli/usage-error';
import { ConsortiumBody } from '../../workflows/api-contract';
import { ConsortiumId } from '../../workflows/contract';

describe('--site', () => {
  test('ids and folders, in order; a folder may hold =', () => {
    expect(parseSites(['b=/data/b', 'a=./x=y'])).toEqual([
      { id: 'b', folder: '/data/b' },
      { id: 'a', folder: './x=y' },
    ]);
  });

  test.each([
    [[], /at least one site/],
    [['biscoe'], /--site biscoe is not of the form ID=DATADIR/],
    [['=dir'], /not of the form/],
    [['biscoe='], /not of the form/],
    [['Biscoe=dir'], /--site Biscoe: .*use a-z, 0-9 and - only/],
    [['central=dir'], /--site central: .*reserved/],
    [['a=x', 'b=y', 'a=z'], /--site a is there twice/],
  ])('%j is refused', (values, message) => {
    expect(() => parseSites(values)).toThrow(UsageError);
    expect(() => parseSites(values)).toThrow(message);
  });
});

const VALID = `name: mean\nversion: 1.0.0\ncommands:\n  edge: [node, edge.js]\n`;

describe('computation.yaml', () => {
  test('defaults are filled in', () => {
    expect(parseComputation(VALID, 'c.yaml')).toMatchObject({
      name: 'mean',
      commands: { edge: ['node', 'edge.js'], central: ['python', '/workspace/system/entry_central.py'] },
      ports: 1,
    });
  });

  test.each([
    ['broken YAML', `name: mean\nversion: [1.0\nports: 1\n`, /^c\.yaml:3:\d+: /],
    ['a key twice', `name: a\nname: b\n`, /^c\.yaml:2:1: .*unique/],
    ['a wrong value', `${VALID}ports: 0\n`, /^c\.yaml:5:8: ports: /],
    [
      'a wrong value deep inside',
      `${VALID}deadlines:\n  run: soon\n`,
      /^c\.yaml:6:8: deadlines\.run: a duration is/,
    ],
    ['a wrong element', `${VALID}outputs:\n  edge: [a.csv, 7]\n`, /^c\.yaml:6:17: outputs\.edge\.1: /],
    ['something missing', `version: 1.0.0\n`, /^c\.yaml: name: /],
    ['several mistakes', `name: A B\nversion: ''\n`, /^c\.yaml:1:7: name: .*\(and 1 more\)$/],
    ['nothing', ``, /^c\.yaml: .*expected object/],
    ['a list', `- name\n`, /^c\.yaml: .*expected object/],
    ['an alias bomb', bomb(), /^c\.yaml: .*alias/i],
  ])('%s is named with its place, in one line', (_what, text, message) => {
    expect(() => parseComputation(text, 'c.yaml')).toThrow(UsageError);
    expect(() => parseComputation(text, 'c.yaml')).toThrow(message);
    expect(() => parseComputation(text, 'c.yaml')).not.toThrow(/\n/);
  });

  test('whatever the text, there is a value or a UsageError of one line', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          parseComputation(text, 'c.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
    );
  });
});

function bomb(): string {
  const rows = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    rows.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return rows.join('\n');
}

describe('--params', () => {
  test('JSON and YAML mean the same', () => {
    const parameters = { covariates: ['sex'], depth: { max: 3, strict: true } };
    expect(parseParameters(JSON.stringify(parameters), 'p.json')).toEqual(parameters);
    expect(parseParameters('covariates: [sex]\ndepth: {max: 3, strict: true}\n', 'p.yaml')).toEqual(
      parameters,
    );
  });

  test.each([
    ['a list', '[1, 2]', /^p: .*expected .*(object|record)/],
    ['a text', '"x"', /^p: .*expected .*(object|record)/],
    ['broken JSON', '{"a": ', /^p:1:\d+: /],
    ['no JSON value', 'a: .nan', /^p:1:4: a: /],
  ])('%s is refused', (_what, text, message) => {
    expect(() => parseParameters(text, 'p')).toThrow(UsageError);
    expect(() => parseParameters(text, 'p')).toThrow(message);
  });
});

test('the consortium of a trial is one that the API accepts, however long the name', () => {
  const computation = parseComputation(VALID.replace('mean', `a${'-b'.repeat(29)}`), 'c.yaml');
  const { id, body } = tryConsortium(computation, [{ id: 's1', folder: '/d' }], { x: 1 });
  expect(ConsortiumId.parse(id)).toBe(id);
  expect(ConsortiumBody.parse(body)).toMatchObject({
    parameters: { x: 1 },
    sites: [{ id: 's1', name: 's1', dataset: computation.name }],
    windows: { retry: '30s' },
  });
});
