/** Whatever is in a computation.yaml, there is a computation, or one clear line that says why not. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseComputation, parseParameters } from '../../cli/arguments';
import { UsageError } from '../../cli/usage-error';
import { PENGUINS } from '../support/penguins';
import { fuzz } from './fuzz';
import { BOMBS, textsLike } from './yaml-texts';

const KEYS = [
  ...['name', 'version', 'image', 'commands', 'provisionInput', 'parameters', 'outputs', 'ports'],
  ...['resources', 'deadlines', 'failure'],
];

/** Of the example, which says nearly all that there is to say. */
const GOOD = parse(readFileSync(PENGUINS, 'utf8')) as Record<string, unknown>;

function mustBeClear(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message.startsWith('c.yaml')).toBe(true);
    expect(message.length).toBeLessThan(600);
    expect(message).not.toMatch(/\n|\bat .*\(.*:\d+:\d+\)|TypeError|call stack|undefined is not/);
  }
}

fuzz('a computation.yaml', textsLike(KEYS, GOOD), (text) => {
  mustBeClear(() => parseComputation(text, 'c.yaml'));
  mustBeClear(() => parseParameters(text, 'c.yaml'));
});

test.each(BOMBS)('%s', (_, text) => {
  mustBeClear(() => parseComputation(text, 'c.yaml'));
  mustBeClear(() =>
    parseComputation(`name: a\nversion: b\nparameters:\n${text.replace(/^/gm, '  ')}`, 'c.yaml'),
  );
  mustBeClear(() => parseParameters(text, 'c.yaml'));
});
