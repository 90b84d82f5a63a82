/** A few of the experiments of `npm run test:faults`: those that take least time and meet what no other test does. */
import { CONSORTIUM, withPlainStack } from '../faults/plain-stack';
import { experiment } from '../faults/experiments';
import { openMatrixStack, type MatrixStack } from '../faults/matrix-stack';
import { randomKills } from '../faults/random-kills';
import { NetworkExperiments, SiteNetwork } from '../faults/site-network';

jest.setTimeout(300_000);

const CUT_MS = 15_000;
const say = () => undefined;

describe('runs in every phase at once', () => {
  let stack: MatrixStack;
  beforeAll(async () => (stack = await openMatrixStack('temporal', say)));
  afterAll(() => stack.close());

  it.each(['temporal', 'minio'] as const)('complete when %s is killed', async (part) => {
    expect(await experiment(stack, part, 'kill')).toMatchObject({ failed: [], wrong: [] });
  });
});

it('runs go on when the sites were cut off for a while', async () => {
  const network = new SiteNetwork();
  const outcome = await withPlainStack(['a', 'b'], { say, ...network.options }, (stack) =>
    new NetworkExperiments(stack, network, CONSORTIUM).cut(CUT_MS),
  ).finally(() => network.close());
  expect(outcome.wrong).toEqual([]);
});

it('whatever is killed at random, every run ends as it was meant to, and nothing is left', async () => {
  const { states, wrong } = await withPlainStack(['a', 'b', 'c'], { say }, (stack) =>
    randomKills({
      ...{ stack, consortium: CONSORTIUM, seed: 1, runs: 10, say },
      ...{ atOnce: 10, killEveryMs: 1_000, mostKills: 8, withinMs: 120_000 },
    }),
  );
  expect(wrong).toEqual([]);
  expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(10);
});
