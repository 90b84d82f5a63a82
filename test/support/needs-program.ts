/** Tests that need something of this machine: skipped aloud where it is not there, and failed where tests must be complete. */
import { spawnSync } from 'node:child_process';

/** A `describe` of tests that need a program. @param command ends well where it is there: `['python3', '--version']` */
export function describeWithProgram(
  [program, ...args]: [string, ...string[]],
  name: string,
  tests: () => void,
): void {
  describeWhere(spawnSync(program, args, { timeout: 30_000 }).status === 0, name, tests, {
    there: `${program} is installed`,
    missing: `${program} is not installed`,
  });
}

/** A `describe` of tests that need what `isThere` tells of. */
export function describeWhere(
  isThere: boolean,
  name: string,
  tests: () => void,
  words: { there: string; missing: string; advice?: string },
): void {
  if (isThere) describe(name, tests);
  else if (process.env.CI) {
    test(`${name}: ${words.there}`, () => {
      throw new Error(`${words.missing}, and CI runs every test${words.advice ?? ''}.`);
    });
  } else {
    console.warn(`${words.missing}: "${name}" is skipped.`);
    describe.skip(name, tests);
  }
}
