/** Whatever is in a computation.yaml, there is a computation, or one clear line that says why not. */
import fc from 'fast-check';
import { parseComputation, parseParameters } from '../../cli/arguments';
import { UsageError } from '../../cli/usage-error';
import { BOMBS, PATIENCE_MS, structures, texts } from '../support/yaml-fuzz';

const KEYS = [
  ...['name', 'version', 'image', 'commands', 'provisionInput', 'parameters', 'outputs', 'ports'],
  ...['resources', 'deadlines', 'failure'],
];

function mustBeClear(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message.startsWith('c.yaml')).toBe(true);
    expect(message.length).toBeLessThan(600);
    expect(message).not.toMatch(/\n|\bat .*\(.*:\d+:\d+\)|TypeError|call stack|undefined is not/);
  }
}

test('any text', () => {
  fc.assert(
    fc.property(texts, (text) => {
      mustBeClear(() => parseComputation(text, 'c.yaml'));
      mustBeClear(() => parseParameters(text, 'c.yaml'));
    }),
    { numRuns: 800 },
  );
});

test('any structure', () => {
  fc.assert(
    fc.property(structures(KEYS), (text) => mustBeClear(() => parseComputation(text, 'c.yaml'))),
    { numRuns: 800 },
  );
});

test.each(BOMBS)(
  '%s',
  (_, text) => {
    mustBeClear(() => parseComputation(text, 'c.yaml'));
    mustBeClear(() =>
      parseComputation(`name: a\nversion: b\nparameters:\n${text.replace(/^/gm, '  ')}`, 'c.yaml'),
    );
    mustBeClear(() => parseParameters(text, 'c.yaml'));
  },
  PATIENCE_MS,
);
