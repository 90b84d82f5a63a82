/** `muster run`: a run's begin, end and new beginning by a person's wish, how it goes, its failures, what its nodes said, and what it has found. */
import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { MusterApi } from '../client';
import { RetryFrom, type RunSummary } from '../workflows/api-contract';
import { ConsortiumId, LaunchId, NodeName, RunId, RunState, SiteId } from '../workflows/contract';
import { parseParameters, parseParams, readText } from './arguments';
import { examples } from './help';
import { InterruptedError, listenForInterrupts } from './interrupts';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { JSON_OPTION, print, printDone, type JsonOption } from './output';
import { isOver, type Progress } from './progress';
import { allErrors, describeErrors } from './run-errors';
import { showLogs } from './run-logs';
import { describeResults, downloadResults } from './run-results';
import { describeRun, runTable } from './run-show';
import { createScreen, type Screen } from './terminal';
import { UsageError } from './usage-error';
import { watchRun } from './watch-run';

interface LogOptions extends ApiOptions {
  node?: string;
  follow?: true;
  launch?: string;
}
interface StartOptions extends ApiOptions, JsonOption {
  param: readonly string[];
  parameters?: string;
  watch?: true;
}
interface ListOptions extends ApiOptions, JsonOption {
  consortium?: string;
  in?: RunState;
  site?: string;
  limit: string;
}
interface StopOptions extends ApiOptions, JsonOption {
  reason?: string;
  wait: boolean;
}
interface RetryOptions extends StopOptions {
  from?: RetryFrom;
  site?: string;
}
type ShowOptions = ApiOptions & JsonOption;
interface ErrorOptions extends ShowOptions {
  node?: string;
  type?: string;
}
interface ResultOptions extends ShowOptions {
  out?: string;
}

const EVENTS_OPTION = ['--json', 'each event as a line of JSON'] as const;
const PAGE = 200;

/** Adds `muster run`. */
export function registerRun(program: Command): void {
  const run = program
    .command('run')
    .description('start runs, watch, stop and retry them, and see what has become of them');
  examples(
    withApiOptions(run.command('start <consortium>'))
      .description("start a run of a consortium's computation")
      .option(
        '-p, --param <name=value>',
        "a parameter in place of the consortium's; the value is JSON, or a text; once for each",
        (one: string, all: readonly string[]) => [...all, one],
        [],
      )
      .option('--parameters <file>', "all parameters, JSON or YAML, instead of the consortium's")
      .option('--watch', 'go on until the run has ended, and show how it goes')
      .option(...JSON_OPTION)
      .action(start),
    ['muster run start penguins', 'muster run start penguins --param rounds=5 --watch'],
  );
  examples(
    withApiOptions(run.command('ls'))
      .description('list runs, the newest first')
      .option('--consortium <id>', 'only those of this consortium')
      .addOption(new Option('--in <state>', 'only those that are in this state').choices(RunState.options))
      .option('--site <id>', 'only those in which this site takes part')
      .option('--limit <n>', 'as many at most', '50')
      .option(...JSON_OPTION)
      .action(list),
    ['muster run ls --consortium penguins --limit 10'],
  );
  examples(
    withApiOptions(run.command('watch <run>'))
      .description(
        'show how a run goes until it has ended: on a terminal a lane for each node, elsewhere a line for each change',
      )
      .option(...EVENTS_OPTION)
      .action(watch),
    ['muster run watch penguins-1', 'muster run watch penguins-1 --json | jq .type'],
  );
  withApiOptions(run.command('stop <run>'))
    .description('stop a run, and wait until every node has confirmed it')
    .option('--reason <text>', 'why; everyone who looks at the run sees it')
    .option('--no-wait', 'only ask for it')
    .option(...EVENTS_OPTION)
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
    .option(...EVENTS_OPTION)
    .action(retry);
  withApiOptions(run.command('show <run>'))
    .description('show a run: its attempts, with who asked for them, and its nodes')
    .option(...JSON_OPTION)
    .action(show);
  withApiOptions(run.command('errors <run>'))
    .description('list the failures of a run, and what to do about each')
    .option('--node <name>', 'only those of central or of this site')
    .option('--type <type>', 'only those of this type, such as DataMissing')
    .option(...JSON_OPTION)
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
    .option(...JSON_OPTION)
    .action(results);
}

async function start(consortiumId: string, options: StartOptions): Promise<void> {
  const { param, parameters: file, watch: isWatched, json, ...where } = options;
  checked(ConsortiumId, consortiumId, 'consortium');
  const given = parseParams(param);
  const fromFile = file === undefined ? undefined : parseParameters(await readText(file), file);
  const api = await openApi(where);
  const path = { consortiumId };
  const base = fromFile ?? (param.length === 0 ? undefined : (await api.getConsortium({ path })).parameters);
  const body = base === undefined ? {} : { parameters: { ...base, ...given } };
  const started = await api.startRun({ path, headers: { 'idempotency-key': randomUUID() }, body });
  if (!isWatched) {
    print(json, started, [started.runId, `Page: ${started.page}`]);
    return;
  }
  process.stderr.write(`${started.runId}: ${started.page}\n`);
  await follow(api, started.runId, json);
}

async function list({ limit, json, consortium, in: state, site, ...where }: ListOptions): Promise<void> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) throw new UsageError(`--limit ${limit} is not a number.`);
  if (consortium !== undefined) checked(ConsortiumId, consortium, 'consortium');
  if (site !== undefined) checked(SiteId, site, 'site');
  const api = await openApi(where);
  const only = { ...(consortium && { consortium }), ...(state && { state }), ...(site && { site }) };
  const runs: RunSummary[] = [];
  let after: string | undefined;
  do {
    const page = await api.listRuns({
      query: { ...only, limit: Math.min(PAGE, most - runs.length), ...(after !== undefined && { after }) },
    });
    runs.push(...page.runs);
    after = page.next;
  } while (after !== undefined && runs.length < most);
  print(json, { runs, ...(after !== undefined && { next: after }) }, runTable(runs));
}

async function watch(runId: string, { json, ...where }: ShowOptions): Promise<void> {
  checked(RunId, runId, 'run');
  await follow(await openApi(where), runId, json);
}

/** @throws Error when the run ends otherwise than complete */
async function follow(api: MusterApi, runId: string, json: true | undefined): Promise<void> {
  const { run } = await look(api, runId, json);
  if (run?.state !== 'complete') throw new Error(`Run ${runId} is ${run?.state ?? 'not known'}.`);
}

const screenFor = (json: true | undefined) => (json ? eventLines() : createScreen(process.stdout));

/** Each picture of the run that is new, as a line of JSON. */
function eventLines(): Screen {
  return {
    line: (text) => void process.stderr.write(`${text}\n`),
    show: () => undefined,
    hear: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    close: () => undefined,
  };
}

async function logs(runId: string, { node, follow, launch, ...where }: LogOptions): Promise<void> {
  checked(RunId, runId, 'run');
  if (node !== undefined) checked(NodeName, node, 'node');
  if (launch !== undefined) checked(LaunchId, launch, 'launch');
  const api = await openApi(where);
  const found = await showLogs(api, { runId, node, launchId: launch, follow: follow === true }, process);
  if (!found) throw new Error(`There is no log of run ${runId} to show.`);
}

async function stop(runId: string, { reason, wait, json, ...where }: StopOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  // Of a run that was retried, the end of the launch before is not what is waited for.
  const { lastEventId } = await api.getRun({ path: { runId } });
  await api.stopRun({ path: { runId }, body: reason === undefined ? {} : { reason } });
  if (!wait) {
    printDone(json, `${runId} is asked to stop.`);
    return;
  }
  const { run, nodes } = await look(api, runId, json, lastEventId);
  const unconfirmed = nodes.filter(({ state }) => state === 'lost').map(({ node }) => node);
  if (unconfirmed.length > 0)
    throw new Error(`${unconfirmed.join(', ')} did not confirm: told again as soon as there is an answer.`);
  if (run?.state !== 'stopped') throw new Error(`Run ${runId} is ${run?.state ?? 'not known'}, not stopped.`);
}

async function retry(
  runId: string,
  { reason, wait, from, site, json, ...where }: RetryOptions,
): Promise<void> {
  checked(RunId, runId, 'run');
  if (site !== undefined) checked(SiteId, site, 'site');
  if (site !== undefined && from !== undefined && from !== 'sites')
    throw new UsageError(`--site goes with --from sites, not with --from ${from}.`);
  const api = await openApi(where);
  const { lastEventId } = await api.getRun({ path: { runId } });
  const wish = { ...(reason !== undefined && { reason }), ...(from && { from }), ...(site && { site }) };
  await api.retryRun({ path: { runId }, body: wish, headers: { 'idempotency-key': randomUUID() } });
  if (!wait) {
    printDone(json, `${runId} is asked to begin anew.`);
    return;
  }
  const { run } = await look(api, runId, json, lastEventId);
  if (run?.state !== 'complete') throw new Error(`Run ${runId} is ${run?.state ?? 'not known'}.`);
}

/**
 * Shows how the run goes until it is over. Ctrl-C only leaves: what was asked for goes on.
 * @throws InterruptedError when the person left before
 */
async function look(
  api: MusterApi,
  runId: string,
  json: true | undefined,
  lastEventId?: number,
): Promise<Progress> {
  const { asked: forced } = listenForInterrupts();
  const asked = new AbortController().signal;
  const progress = await watchRun(api, runId, screenFor(json), { asked, forced }, lastEventId);
  if (!forced.aborted || isOver(progress)) return progress;
  process.stderr.write(`You have left. \`muster run show ${runId}\` says what has become of it.\n`);
  throw new InterruptedError();
}

async function show(runId: string, { json, ...where }: ShowOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const detail = await api.getRun({ path: { runId } });
  print(json, detail, describeRun(detail));
}

async function errors(runId: string, { node, type, json, ...where }: ErrorOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const found = await allErrors(api, runId, { ...(node && { node }), ...(type && { type }) });
  print(json, { runId, errors: found }, describeErrors(found));
}

async function results(runId: string, { out, json, ...where }: ResultOptions): Promise<void> {
  checked(RunId, runId, 'run');
  const api = await openApi(where);
  const list = await api.listResults({ path: { runId } });
  const [first] = list.results;
  if (first === undefined && list.why !== undefined && json !== true) throw new Error(list.why);
  const files = list.results.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
  const say = (line: string) => {
    if (json !== true) process.stdout.write(`${line}\n`);
  };
  const open = (name: string) => api.openResult(runId, name);
  if (out !== undefined) await downloadResults(list.results, out, { open, say });
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
