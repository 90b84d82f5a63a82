/** Tests that need a container engine. */
import { spawnSync } from 'node:child_process';
import { describeWhere } from '../support/needs-program';

const ASK = `new (require('dockerode'))().ping().then(() => process.exit(0), () => process.exit(1))`;

/** A `describe` of tests that need a container engine. */
export function describeWithEngine(name: string, tests: () => void): void {
  // Which tests there are has to be known at once, so the question is asked by another process.
  const isThere = spawnSync(process.execPath, ['-e', ASK], { timeout: 10_000 }).status === 0;
  describeWhere(isThere, name, tests, {
    there: 'a container engine answers',
    missing: 'No container engine answers',
    advice: ': start one, or set DOCKER_HOST',
  });
}
