/** Tests that need a container engine: skipped aloud where there is none, and failed where tests must be complete. */
import { spawnSync } from 'node:child_process';

const ASK = `new (require('dockerode'))().ping().then(() => process.exit(0), () => process.exit(1))`;

/** A `describe` of tests that need a container engine. */
export function describeWithEngine(name: string, tests: () => void): void {
  // Which tests there are has to be known at once, so the question is asked by another process.
  if (spawnSync(process.execPath, ['-e', ASK], { timeout: 10_000 }).status === 0) describe(name, tests);
  else if (process.env.CI) {
    test(`${name}: a container engine answers`, () => {
      throw new Error('No container engine answers, and CI runs every test: start one, or set DOCKER_HOST.');
    });
  } else {
    console.warn(`No container engine answers: "${name}" is skipped.`);
    describe.skip(name, tests);
  }
}
