/** `muster try`: one run of a computation on this machine, with local folders for the sites' data. */
import { Option, type Command } from 'commander';
import { FAILED } from './exit-codes';
import { InterruptedError, listenForInterrupts } from './interrupts';
import { summarize, summaryLines, type TrySummary } from './summary';
import { describeLinks, runTrial, type TrialOptions } from './trial';
import { readPlan, type PlanOptions, type TryPlan } from './try-plan';

export interface TryOptions extends TrialOptions {
  json: boolean;
}

/** Adds `muster try`. */
export function registerTry(program: Command): void {
  const command = program
    .command('try')
    .description('run a computation once on this machine, with a folder of data for each site')
    .argument('<computation.yaml>', "the computation's description")
    .option('--site <id=folder>', 'a site and the folder of its data; once for each site', append, []);
  addTrialOptions(command).action(async (file: string, options: TryOptions & PlanOptions) => {
    await tryPlan(await readPlan(file, options), options);
  });
}

/** Adds the options that every trial has. */
export function addTrialOptions(command: Command): Command {
  const runtimes = ['auto', 'docker', 'process'];
  return command
    .option('--params <file>', "the computation's parameters, JSON or YAML")
    .addOption(new Option('--runtime <kind>', 'how nodes are run').choices(runtimes).default('auto'))
    .option('--once', 'end with the run instead of staying up', false)
    .option(
      '--json',
      'print the result as one line of JSON on standard output, progress on standard error',
      false,
    )
    .option('--out <dir>', 'folder for the results (default: in the state folder)')
    .option('--state <dir>', 'folder for data, logs and secrets of the stack', '.muster');
}

const append = (value: string, values: readonly string[]) => [...values, value];

/**
 * Tries `plan`, tells how it ended and sets the exit code: 0 only for a complete run.
 * @param more what else is to be shown of a complete run
 */
export async function tryPlan(
  plan: TryPlan,
  options: TryOptions,
  more: (summary: TrySummary) => Promise<string[]> = () => Promise.resolve([]),
): Promise<void> {
  const interrupts = listenForInterrupts();
  const output = options.json ? process.stderr : process.stdout;
  try {
    await runTrial(plan, options, output, interrupts, async ({ progress, results, links }, say) => {
      const summary = summarize(progress, results);
      if (summary === undefined) throw new InterruptedError();
      const isComplete = summary.status === 'complete';
      process.exitCode = isComplete ? 0 : FAILED;
      summaryLines(summary).forEach(say);
      if (isComplete) (await more(summary)).forEach(say);
      if (links !== undefined) describeLinks(links).forEach(say);
      if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    });
  } finally {
    interrupts.close();
  }
}
