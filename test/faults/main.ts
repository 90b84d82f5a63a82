/**
 * `npm run test:faults`: every part of Muster is killed, asked to end, paused and kept down while runs are in every phase
 * of their life; then many runs under random kills, and a network that misbehaves. What became of them goes to
 * docs/reliability.md. Exits with 1 when something does not hold.
 */
import { Command, InvalidArgumentError } from 'commander';
import { INTERRUPTED } from '../../cli/exit-codes';
import { listenForInterrupts } from '../../cli/interrupts';
import { whyNoEngine } from './engine';
import { FAULTS, PARTS, experiment, outcomeWithout, type FaultName, type PartName } from './experiments';
import { openMatrixStack, type MatrixStack } from './matrix-stack';
import { CONSORTIUM, withPlainStack } from './plain-stack';
import { whyNoPostgres } from './postgres';
import { randomKills } from './random-kills';
import { renewReliability } from './reliability';
import type { Results } from './reliability-record';
import { NetworkExperiments, SiteNetwork } from './site-network';

const CUT_MS = 120_000;
const KILL_EVERY_MS = 1_000;
const RUNS_AT_ONCE = 8;
const RUN_ENDED_MS = 600_000;

/** What is to be done. */
interface Choice {
  cells: [PartName, FaultName][];
  random: boolean;
  network: boolean;
}

interface FaultOptions {
  only?: Choice;
  renew: boolean;
  runs: number;
  seed: number;
}

const say = (line: string) =>
  void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** What is to be closed when somebody interrupts: nodes outlive the workers that started them. */
const open = new Set<{ close: () => Promise<void> }>();
const { asked, forced } = listenForInterrupts();
// The parts are killed when this process exits.
forced.addEventListener('abort', () => process.exit(INTERRUPTED));
asked.addEventListener('abort', () => {
  say('Stopping; press Ctrl-C again to stop at once.');
  void Promise.allSettled([...open].map((one) => one.close())).then(() => process.exit(INTERRUPTED));
});

async function measure(choice: Choice, options: FaultOptions, done: (results: Results) => Promise<void>) {
  const results: Results = { matrix: [], network: [], absent: {} };
  for (const part of PARTS) {
    const faults = choice.cells.filter(([of]) => of === part).map(([, fault]) => fault);
    if (faults.length === 0) continue;
    const why = await whyNot(part);
    if (why === undefined) await hurt(part, faults, results, done);
    else results.absent[part] = why;
  }
  if (choice.network) await measureNetwork(results, done);
  if (choice.random) await measureRandom(options, results);
  await done(results);
  return results;
}

async function whyNot(part: PartName): Promise<string | undefined> {
  if (part === 'docker') return whyNoEngine();
  return part === 'postgres' ? whyNoPostgres() : undefined;
}

async function hurt(
  part: PartName,
  faults: readonly FaultName[],
  results: Results,
  done: (results: Results) => Promise<void>,
): Promise<void> {
  let stack: MatrixStack | undefined;
  try {
    for (const fault of faults) {
      say(`${part}, ${fault}`);
      stack ??= await opened(part);
      const outcome = await experiment(stack, part, fault).catch((error: unknown) =>
        outcomeWithout(part, fault, error),
      );
      say(JSON.stringify(outcome, undefined, 2));
      results.matrix.push(outcome);
      await done(results);
      if (outcome.wrong.length === 0) continue;
      // What is left of it would be in the way of the next.
      await stack.close();
      stack = undefined;
    }
  } finally {
    await stack?.close();
  }
}

async function opened(part: PartName): Promise<MatrixStack> {
  asked.throwIfAborted();
  const stack = await openMatrixStack(part, say);
  open.add(stack);
  return stack;
}

async function measureNetwork(results: Results, done: (results: Results) => Promise<void>): Promise<void> {
  const network = new SiteNetwork();
  await withPlainStack(['a', 'b'], { say, ...network.options }, async (stack) => {
    open.add(stack);
    const experiments = new NetworkExperiments(stack, network, CONSORTIUM);
    const all = [() => experiments.slow(), () => experiments.breaking(), () => experiments.cut(CUT_MS)];
    for (const one of all) {
      const outcome = await one();
      say(JSON.stringify(outcome, undefined, 2));
      results.network.push(outcome);
      await done(results);
    }
  }).finally(() => network.close());
}

async function measureRandom({ seed, runs }: FaultOptions, results: Results): Promise<void> {
  results.random = await withPlainStack(['a', 'b', 'c'], { say }, (stack) => {
    open.add(stack);
    return randomKills({
      ...{ stack, consortium: CONSORTIUM, seed, runs, say },
      ...{ atOnce: RUNS_AT_ONCE, killEveryMs: KILL_EVERY_MS, withinMs: RUN_ENDED_MS },
    });
  });
  say(JSON.stringify(results.random, undefined, 2));
}

function choose(text: string, before: Choice = { cells: [], random: false, network: false }): Choice {
  if (text === 'random' || text === 'network') return { ...before, [text]: true };
  const [part, fault] = text.split(':');
  const parts = PARTS.filter((name) => part === '*' || part === name);
  const faults = FAULTS.filter((name) => fault === undefined || fault === '*' || fault === name);
  const cells = parts.flatMap((of) => faults.map((name): [PartName, FaultName] => [of, name]));
  if (cells.length > 0) return { ...before, cells: [...before.cells, ...cells] };
  throw new InvalidArgumentError(
    `random, network, PART or PART:FAULT; parts: ${PARTS.join(', ')}; faults: ${FAULTS.join(', ')}; * is each`,
  );
}

function natural(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number');
  return value;
}

async function main(options: FaultOptions): Promise<number> {
  const all = { ...choose('*'), random: true, network: true };
  // Who tries one of them, to see what it does, does not want to have it published.
  const isTry = options.only !== undefined && !options.renew;
  const done = isTry ? () => Promise.resolve() : renewReliability;
  const { matrix, random, network } = await measure(options.only ?? all, options, done);
  const wrong = [...matrix, ...network, ...(random ? [random] : [])].flatMap((outcome) => outcome.wrong);
  for (const what of wrong) say(`DOES NOT HOLD: ${what}`);
  return wrong.length === 0 ? 0 : 1;
}

const program = new Command('test:faults')
  .description('hurt every part while runs are in every phase, and see what becomes of them')
  .option('--only <what>', 'PART, PART:FAULT, random or network; may be given again', choose)
  .option(
    '--renew',
    'with --only: put what came out into docs/reliability.md, beside what is there of the others',
    false,
  )
  .option('--runs <number>', 'how many runs go through random kills', natural, 200)
  .option('--seed <number>', 'what the random kills are drawn from', natural, 1)
  .action(async (options: FaultOptions) => {
    try {
      process.exit(await main(options));
    } catch (error) {
      // What was interrupted has nothing more to say, and everything is being closed.
      if (asked.aborted) return;
      say(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exit(1);
    }
  });
void program.parseAsync();
