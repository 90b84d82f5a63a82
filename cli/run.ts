/** `muster run`: a run's end or new beginning by a person's wish, how it is, its failures, what its nodes said, and what it has found. */
import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import { RetryFrom } from '../workflows/api-contract';
import { LaunchId, NodeName, RunId, SiteId } from '../workflows/contract';
import { listenForInterrupts } from './interrupts';
import { openApi, openStore, withApiOptions, type ApiOptions } from './api-access';
import { allErrors, describeErrors } from './run-errors';
import { showLogs } from './run-logs';
import { describeResults, downloadResults } from './run-results';
import { describeRun } from './run-show';
import { createScreen } from './terminal';
import { UsageError } from './usage-error';
import { watchRun } from './watch-run';

interface LogOptions extends ApiOptions {
  node?: string;
  follow?: true;
  launch?: string;
}
interface StopOptions extends ApiOptions {
  reason?: string;
  wait: boolean;
}
interface RetryOptions extends StopOptions {
  from?: RetryFrom;
  site?: string;
}
interface ShowOptions extends ApiOptions {
  json?: true;
}
interface ErrorOptions extends ApiOptions {
  node?: string;
  type?: string;
  json?: true;
}
interface ResultOptions extends ApiOptions {
  out?: string;
  json?: true;
}

/** Adds `muster run`. */
export function registerRun(program: Command): void {
  const run = program.command('run').description('stop or retry a run, or look at what has become of it');
  withApiOptions(run.command('stop <run>'))
    .description('stop a run, and wait until every node has confirmed it')
    .option('--reason <text>', 'why; everyone who looks at the run sees it')
    .option('--no-wait', 'only ask for it')
    .action(stop);
  withApiOptions(run.command('retry <run>'))
    .description('let a run, or the nodes of its sites, begin anew, and show what becomes of it')
    .addOption(
      new Option(
        '--from <step>',
        'what begins anew: provision, all of it; and while the run is under way launch, its nodes with the same kits, or ' +
          'sites, the nodes of the sites that are not complete (default: provision, or sites with --site)',
      ).choices(RetryFrom.options),
    )
    .option('--site <id>', 'only the node of this site, while the run is under way')
    .option('--reason <text>', 'why; it stands in the history of the run')
    .option('--no-wait', 'only ask for it')
    .action(retry);
  withApiOptions(run.command('show <run>'))
    .description('show a run: its attempts, with who asked for them, and its nodes')
    .option('--json', 'as JSON')
    .action(show);
  withApiOptions(run.command('errors <run>'))
    .description('list the failures of a run, and what to do about each')
    .option('--node <name>', 'only those of central or of this site')
    .option('--type <type>', 'only those of this type, such as DataMissing')
    .option('--json', 'as JSON')
    .action(errors);
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

async function stop(runId: string, { reason, wait, ...where }: StopOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  // Of a run that was retried, the end of the launch before is not what is waited for.
  const { lastEventId } = await api.getRun(runId);
  await api.stopRun(runId, reason === undefined ? {} : { reason });
  if (!wait) return;
  const { run, nodes } = await watchRun(api, runId, createScreen(process.stdout), leaving(), lastEventId);
  const unconfirmed = nodes.filter(({ state }) => state === 'lost').map(({ node }) => node);
  if (unconfirmed.length > 0)
    throw new Error(`${unconfirmed.join(', ')} did not confirm: told again as soon as there is an answer.`);
  if (run?.state !== 'stopped') throw new Error(`Run ${runId} is ${run?.state ?? 'not known'}, not stopped.`);
}

async function retry(runId: string, { reason, wait, from, site, ...where }: RetryOptions): Promise<void> {
  checked(RunId, runId, 'run');
  if (site !== undefined) checked(SiteId, site, 'site');
  if (site !== undefined && from !== undefined && from !== 'sites')
    throw new UsageError(`--site goes with --from sites, not with --from ${from}.`);
  const api = await openApi(where);
  const { lastEventId } = await api.getRun(runId);
  const wish = { ...(reason !== undefined && { reason }), ...(from && { from }), ...(site && { site }) };
  await api.retryRun(runId, wish, randomUUID());
  if (!wait) return;
  const { run } = await watchRun(api, runId, createScreen(process.stdout), leaving(), lastEventId);
  if (run?.state !== 'complete') throw new Error(`Run ${runId} is ${run?.state ?? 'not known'}.`);
}

/** It has been asked for: whoever presses Ctrl-C now only does not want to see what becomes of it. */
const leaving = () => ({ asked: new AbortController().signal, forced: listenForInterrupts().asked });

async function show(runId: string, { json, ...where }: ShowOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const detail = await api.getRun(runId);
  if (json) process.stdout.write(`${JSON.stringify(detail)}\n`);
  else for (const line of describeRun(detail)) process.stdout.write(`${line}\n`);
}

async function errors(runId: string, { node, type, json, ...where }: ErrorOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const found = await allErrors(api, runId, { ...(node && { node }), ...(type && { type }) });
  if (json) process.stdout.write(`${JSON.stringify({ runId, errors: found })}\n`);
  else for (const line of describeErrors(found)) process.stdout.write(`${line}\n`);
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
  if (out !== undefined) await downloadResults(list.results, out, { fetch: await openStore(where), say });
  else describeResults(files).forEach(say);
  const told = { runId, results: files, ...(list.why !== undefined && { why: list.why }) };
  if (json === true) process.stdout.write(`${JSON.stringify(told)}\n`);
}

function checked(
  schema: { safeParse: (value: unknown) => { success: boolean } },
  value: string,
  what: string,
): void {
  if (!schema.safeParse(value).success)
    throw new UsageError(`${JSON.stringify(value)} is not the id of a ${what}.`);
}
