/** `muster run`: what a run's nodes said, and what the run has found. */
import type { Command } from 'commander';
import { LaunchId, NodeName, RunId } from '../workflows/contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { showLogs } from './run-logs';
import { describeResults, downloadResults } from './run-results';
import { UsageError } from './usage-error';

interface LogOptions extends ApiOptions {
  node?: string;
  follow?: true;
  launch?: string;
}
interface ResultOptions extends ApiOptions {
  out?: string;
  json?: true;
}

/** Adds `muster run logs` and `muster run results`. */
export function registerRun(program: Command): void {
  const run = program.command('run').description('look at what a run has left');
  withApiOptions(run.command('logs <run>'))
    .description('print what the nodes of a run said')
    .option('--node <name>', 'central, provision or the id of a site; without it, all nodes')
    .option('-f, --follow', 'go on until the nodes have ended')
    .option('--launch <id>', 'an earlier launch of the run')
    .action(logs);
  withApiOptions(run.command('results <run>'))
    .description("list or download the central node's results")
    .option('--out <dir>', 'download them into this folder')
    .option('--json', 'as JSON')
    .action(results);
}

async function logs(runId: string, { node, follow, launch, ...where }: LogOptions): Promise<void> {
  checked(RunId, runId, 'run');
  if (node !== undefined) checked(NodeName, node, 'node');
  if (launch !== undefined) checked(LaunchId, launch, 'launch');
  // Whoever reads this in a pipe may have seen enough.
  process.stdout.once('error', () => process.exit());
  const api = await openApi(where);
  const found = await showLogs(api, { runId, node, launchId: launch, follow: follow === true }, process);
  if (!found) throw new Error(`There is no log of run ${runId} to show.`);
}

async function results(runId: string, { out, json, ...where }: ResultOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const list = await api.listResults(runId);
  const [first] = list.results;
  if (first === undefined && list.why !== undefined && json !== true) throw new Error(list.why);
  const files = list.results.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
  const say = (line: string) => {
    if (json !== true) process.stdout.write(`${line}\n`);
  };
  if (out !== undefined) await downloadResults(list.results, out, say);
  else describeResults(files).forEach(say);
  const told = { runId, results: files, ...(list.why !== undefined && { why: list.why }) };
  if (json === true) process.stdout.write(`${JSON.stringify(told)}\n`);
}

function checked(schema: typeof RunId, value: string, what: string): void {
  if (!schema.safeParse(value).success)
    throw new UsageError(`${JSON.stringify(value)} is not the id of a ${what}.`);
}
