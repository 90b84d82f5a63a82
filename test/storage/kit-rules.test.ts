import { posix } from 'node:path';
import fc from 'fast-check';
import { entriesProblem, KIT_LIMITS, nameProblem, sizeProblem, type KitEntry } from '../../storage/kit-rules';

const file = (name: string, size = 1): KitEntry => ({ name, size, mode: 0o100600 });

const hostileStep = fc.constantFrom(
  '..',
  '.',
  '',
  'C:',
  '\\',
  '..\\',
  '\0',
  '/',
  '~',
  'a',
  '\u202e',
  '\ud800',
);
const anyName = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.array(hostileStep, { maxLength: 8 }).map((steps) => steps.join('/')),
);
const goodStep = fc
  .string({
    unit: fc.constantFrom(...['a', 'b', 'C', 'Z', '0', '9', '.', '_', '-', ' ', 'ä', 'ß', '雪']),
    minLength: 1,
    maxLength: 20,
  })
  .filter((step) => step !== '.' && step !== '..');

describe('names in a kit', () => {
  test('a name that passes stays below the folder it is joined to, under every reading of it', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        fc.pre(nameProblem(name) === undefined);
        for (const reading of [name, name.replaceAll('\\', '/'), name.normalize('NFC')]) {
          const path = posix.join('/kit', reading);
          expect(path.startsWith('/kit/')).toBe(true);
          expect(path.replace(/\/$/, '')).toBe(`/kit/${reading}`.replace(/\/$/, ''));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('ordinary names pass, as files and as folders', () => {
    fc.assert(
      fc.property(fc.array(goodStep, { minLength: 1, maxLength: 5 }), (steps) => {
        expect(nameProblem(steps.join('/'))).toBeUndefined();
        expect(nameProblem(`${steps.join('/')}/`)).toBeUndefined();
      }),
    );
  });

  test('a step out, wherever it stands, does not pass', () => {
    fc.assert(
      fc.property(fc.array(goodStep), fc.array(goodStep), (before, after) => {
        expect(nameProblem([...before, '..', ...after].join('/'))).toBe('leads out of the kit');
      }),
    );
  });

  test.each([
    ['', 'has no name'],
    ['/', 'has no name'],
    ['/etc/passwd', 'has an absolute path'],
    ['C:/windows', 'has a drive letter'],
    ['a\\..\\b', 'has a backslash in its name'],
    ['a//b', 'has an empty or . step in its path'],
    ['./a', 'has an empty or . step in its path'],
    ['a\0b', 'has a control character or a broken one in its name'],
    ['x'.repeat(256), 'has too long a name'],
    ['dir/'.repeat(300), 'has too long a name'],
  ])('%j is refused', (name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });
});

describe('entries of a kit', () => {
  test.each<[string, KitEntry[], string]>([
    ['a file twice', [file('a'), file('a')], '"a" is there twice'],
    ['a file and a folder of one name', [file('a'), { name: 'a/', size: 0, mode: 0 }], '"a/" is there twice'],
    ['a file above another', [file('a'), file('a/b')], '"a" is a file and has entries below it'],
    [
      'the same, the other way round',
      [file('a/b/c'), file('a/b')],
      '"a/b" is a file and has entries below it',
    ],
    ['a symbolic link', [{ name: 'l', size: 1, mode: 0o120777 }], '"l" is a link or a special file'],
    ['a device', [{ name: 'd', size: 0, mode: 0o020600 }], '"d" is a link or a special file'],
    ['a folder by mode only', [{ name: 'f', size: 0, mode: 0o040700 }], 'not by both'],
    ['a folder with content', [{ name: 'f/', size: 5, mode: 0o040700 }], '"f/" is a folder with content'],
    ['too many', [file('a'), file('b'), file('c')], 'it has more than 2 entries'],
  ])('%s is refused', (_what, entries, problem) => {
    const limits = {
      ...KIT_LIMITS,
      entries: problem.includes('entries') && !problem.includes('below') ? 2 : 10,
    };
    expect(entriesProblem(entries, limits)).toContain(problem);
  });

  test('a file may share the beginning of its name with another', () => {
    expect(entriesProblem([file('a'), file('ab/c'), file('a.b')], KIT_LIMITS)).toBeUndefined();
  });
});

describe('sizes of a kit', () => {
  const MiB = 2 ** 20;
  test('the sum of all files is bounded, however many they are', () => {
    const entries = Array.from({ length: 20 }, (_, index) => file(`f${index}`, 2 ** 30));
    expect(sizeProblem(entries, 2 ** 31, KIT_LIMITS)).toContain('hold more than');
  });
  test('what unpacks to far more than the zip is a bomb; what is small is not', () => {
    expect(sizeProblem([file('a', 500 * MiB)], MiB, KIT_LIMITS)).toContain('200 times');
    expect(sizeProblem([file('a', 60 * MiB)], 60, KIT_LIMITS)).toBeUndefined();
    expect(sizeProblem([file('a', 150 * MiB)], MiB, KIT_LIMITS)).toBeUndefined();
  });
});
