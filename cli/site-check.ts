/** `muster site check`: what this site would let run, and why not, before there is any run. Nothing is started or pulled. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { foresee } from '../activities/edge/forecast';
import { dataFolder } from '../activities/edge/site-data';
import { inWords, type SiteRules } from '../activities/edge/site-rules';
import { grantWords, rulesInWords } from '../activities/edge/site-words';
import type { AllowedComputation } from '../activities/shared/policy';
import { connectEngine, engineAnswers, imageHere, socketWithin } from '../nodes';
import { whyNotBounded } from '../nodes/bounded-network';
import { seccompOf } from '../nodes/container-user';
import { namedNetwork } from '../nodes/network';
import { readSiteFile, type SiteFile } from '../workers/policy-files';
import { SettingsError } from '../workers/settings';
import { ConsortiumId, Site, type Computation } from '../workflows/contract';
import { parseComputation } from './arguments';
import { FAILED } from './exit-codes';
import { messageOf } from './message-of';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

interface CheckOptions {
  config: string;
  computation?: string;
  consortium?: string;
  dataset?: string;
  json?: true;
}

/** `note`: it works, and somebody should know. */
type Verdict = 'ok' | 'note' | 'wrong';
interface Finding {
  what: string;
  verdict: Verdict;
  says: string;
}
/** What would become of a run that came now. */
interface Forecast {
  decision: 'accept' | 'wait' | 'refuse';
  /** What in site.yaml decided. */
  rule?: string;
  why?: string;
  /** What it would get. */
  gets?: string;
}
/** What `--json` prints. */
export interface CheckResult {
  file: string;
  accepted: boolean;
  findings: Finding[];
  forecast?: Forecast;
}

/** Adds the command to `muster site`. */
export function registerSiteCheck(site: Command): void {
  site
    .command('check')
    .description('say what site.yaml lets run here, and why not, before any run')
    .option('--config <file>', "the site's file", 'site.yaml')
    .option('--computation <file>', 'would a run of this computation.yaml be let in?')
    .option('--consortium <id>', 'of this consortium')
    .option('--dataset <name>', 'on this dataset')
    .option('--json', 'as JSON')
    .action(check);
}

async function check(options: CheckOptions): Promise<void> {
  const asked = await askedOf(options);
  const result = await examine(options.config, asked);
  const lines = options.json ? [JSON.stringify(result)] : describe(result);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (!result.accepted) process.exitCode = FAILED;
}

/** A run that somebody asks about. */
interface AskedRun {
  computation: Computation;
  consortium: string;
  dataset: string;
}

async function askedOf({ computation, consortium, dataset }: CheckOptions): Promise<AskedRun | undefined> {
  if (computation === undefined) {
    if (consortium === undefined && dataset === undefined) return undefined;
    throw new UsageError('--consortium and --dataset are of a run: name its --computation too.');
  }
  if (consortium === undefined || dataset === undefined)
    throw new UsageError('With --computation, name the --consortium and the --dataset of the run too.');
  if (!ConsortiumId.safeParse(consortium).success)
    throw new UsageError(`${JSON.stringify(consortium)} is not the id of a consortium.`);
  if (!Site.shape.dataset.safeParse(dataset).success)
    throw new UsageError('--dataset takes a text of 1 to 120 characters.');
  const text = await readFile(computation, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${computation} cannot be read: ${messageOf(error)}`);
  });
  return { computation: parseComputation(text, computation), consortium, dataset };
}

/** Looks at all that the file speaks of, and decides about the run that was asked about. */
export async function examine(config: string, asked?: AskedRun): Promise<CheckResult> {
  const rules = await readSiteFile(config).catch((error: unknown) => {
    if (error instanceof SettingsError) return error;
    throw error;
  });
  if (rules instanceof SettingsError) {
    const says = `${rules.message}. A worker that runs goes on by the rules that it read last; none starts with these.`;
    return { file: config, accepted: false, findings: [{ what: 'file', verdict: 'wrong', says }] };
  }
  const hasEngine = await engineAnswers();
  const findings: Finding[] = [
    { what: 'file', verdict: 'ok', says: `site ${rules.site}: ${rulesInWords(rules).join('; ')}` },
    ...(await Promise.all(Object.keys(rules.datasets).map((name) => datasetFinding(rules, name)))),
    await engineFinding(rules, hasEngine),
    ...(await networkFindings(rules, hasEngine)),
    ...(await reachFindings(rules, hasEngine)),
    ...(await Promise.all(rules.computations.map((entry) => computationFinding(entry, hasEngine)))),
  ];
  const forecast = asked && (await forecastOf(rules, asked));
  const accepted = forecast
    ? forecast.decision === 'accept'
    : findings.every(({ verdict }) => verdict !== 'wrong');
  return { file: config, accepted, findings, ...(forecast && { forecast }) };
}

async function datasetFinding(rules: SiteRules, name: string): Promise<Finding> {
  const what = `dataset ${name}`;
  try {
    const folder = await dataFolder({ id: rules.site, name: rules.site, dataset: name }, rules);
    const socket = await socketWithin(folder, connectEngine());
    if (socket === undefined) return { what, verdict: 'ok', says: folder };
    return { what, verdict: 'wrong', says: `${folder} holds the container engine's socket ${socket}` };
  } catch (error) {
    return { what, verdict: 'wrong', says: `${rules.datasets[name] ?? ''}: ${messageOf(error)}` };
  }
}

async function engineFinding(rules: SiteRules, hasEngine: boolean): Promise<Finding> {
  const what = 'engine';
  if (hasEngine) {
    if (await seccompOf(connectEngine())) return { what, verdict: 'ok', says: 'answers' };
    return { what, verdict: 'note', says: 'answers, but bounds no system calls (seccomp is off)' };
  }
  const isNeeded = rules.computations.some(({ folder }) => folder === undefined);
  return { what, verdict: isNeeded ? 'wrong' : 'note', says: 'does not answer: no containers run here' };
}

async function networkFindings({ containers }: SiteRules, hasEngine: boolean): Promise<Finding[]> {
  if (containers?.network === undefined || !hasEngine) return [];
  const what = `network ${containers.network}`;
  try {
    await namedNetwork(connectEngine(), containers.network);
    return [{ what, verdict: 'ok', says: 'there' }];
  } catch (error) {
    return [{ what, verdict: 'wrong', says: messageOf(error) }];
  }
}

async function reachFindings(
  { containers, reports }: SiteFile & SiteRules,
  hasEngine: boolean,
): Promise<Finding[]> {
  const what = 'reach';
  if (!hasEngine) return [];
  if (containers.reach === 'any' && containers.network !== undefined) return [];
  if (containers.reach === 'any')
    return [{ what, verdict: 'note', says: 'nodes in containers reach whatever this host reaches' }];
  const why = await whyNotBounded(connectEngine());
  if (why !== undefined)
    return [
      { what, verdict: 'wrong', says: `federation, which cannot be held to: ${why}; else say \`any\`` },
    ];
  const too = reports === undefined ? '' : `, and ${reports}`;
  return [
    { what, verdict: 'ok', says: `nodes in containers reach their central node${too}, and nothing else` },
  ];
}

async function computationFinding(entry: AllowedComputation, hasEngine: boolean): Promise<Finding> {
  const { name, versions, image, digest, signer, folder } = entry;
  const what = `computation ${name ?? 'of any name'}${versions ? ` ${versions.join(', ')}` : ''}`;
  const inFolder = folder === undefined ? [] : [`processes of ${folder}`];
  if (image === undefined) {
    const says = [
      ...(digest === undefined ? [] : [`any image that is ${digest}`]),
      ...(signer === undefined ? [] : [`any image that is signed by ${signer}`]),
    ].join(' and ');
    return { what, verdict: 'ok', says: says || inFolder.join() };
  }
  if (!hasEngine)
    return { what, verdict: 'note', says: [`${image}, not looked at`, ...inFolder].join('; or ') };
  const here = await imageHere(connectEngine(), image);
  if (!here)
    return {
      what,
      verdict: 'note',
      says: [`${image} is not here: it would be pulled`, ...inFolder].join('; or '),
    };
  const means = here.digest === image ? image : `${image} is ${here.digest}`;
  if (digest !== undefined && !here.digest.endsWith(digest) && !here.is(digest))
    return { what, verdict: 'wrong', says: `${means}, and not ${digest}` };
  return { what, verdict: 'ok', says: [means, ...inFolder].join('; or ') };
}

async function forecastOf(
  rules: SiteRules,
  { computation, consortium: id, dataset }: AskedRun,
): Promise<Forecast> {
  const asked = { computation, consortium: { id, name: id }, dataset };
  const { byFile, decision, means, data, grant } = await foresee(rules, asked);
  if (byFile.type !== 'accept') return { decision: byFile.type, rule: byFile.rule, why: inWords(byFile) };
  const why = means?.why ?? data;
  if (why !== undefined) return { decision: 'refuse', why };
  const gets = grantWords(grant);
  if (decision.type === 'accept') return { decision: 'accept', gets };
  return { decision: decision.type, rule: decision.rule, why: inWords(decision), gets };
}

/** For a person. */
export function describe({ findings, forecast, accepted }: CheckResult): string[] {
  const rows = findings.map(({ what, verdict, says }) => [verdict.toUpperCase(), plain(what), plain(says)]);
  return [...table(rows), '', summary(accepted, forecast)];
}

function summary(accepted: boolean, forecast: Forecast | undefined): string {
  if (!forecast) return accepted ? 'In order.' : 'Not in order: see above.';
  const { decision, why = '', gets } = forecast;
  if (decision === 'accept') return `Such a run would be let in. It would get ${gets ?? 'nothing'}.`;
  return `Such a run would ${decision === 'wait' ? 'wait' : 'not be let in'}: ${plain(why)}.`;
}
