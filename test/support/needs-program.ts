/** Tests that need a program of this machine: skipped aloud where it is not there, and failed where tests must be complete. */
import { spawnSync } from 'node:child_process';

/** A `describe` of tests that need a program. @param command ends well where it is there: `['python3', '--version']` */
export function describeWithProgram(
  [program, ...args]: [string, ...string[]],
  name: string,
  tests: () => void,
): void {
  if (spawnSync(program, args, { timeout: 30_000 }).status === 0) describe(name, tests);
  else if (process.env.CI) {
    test(`${name}: ${program} is installed`, () => {
      throw new Error(`${program} is not installed, and CI runs every test.`);
    });
  } else {
    console.warn(`${program} is not installed: "${name}" is skipped.`);
    describe.skip(name, tests);
  }
}
