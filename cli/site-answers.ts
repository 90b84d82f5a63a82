/**
 * `muster site approvals | approve | refuse`: what waits for a person at a site, and what they say. At the site's machine this is
 * written into the worker's state folder, and no server is asked; with `--site` it is said to the API, for a site whose file
 * takes answers from there.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { Approvals, type Answer, type Asked } from '../activities/edge/approvals';
import { whoSaid } from '../activities/edge/site-rules';
import { grantWords } from '../activities/edge/site-words';
import type { GetSiteResponses } from '../client/generated/types.gen';
import { errorCode } from '../nodes/error-code';
import { API_OPTION, openApi } from './api-access';
import { examples } from './help';
import { JSON_OPTION, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { REQUEST_LENGTH } from './site-show';
import { UsageError } from './usage-error';

interface Where extends JsonOption {
  /** The worker's state folder, at the site's machine. */
  state?: string;
  /** Asks the API instead. */
  site?: string;
  api?: string;
}
interface ListOptions extends Where {
  all?: true;
}
interface AnswerOptions extends Where {
  request?: string;
}
interface RefuseOptions extends AnswerOptions {
  why: string;
}
type Ask = GetSiteResponses[200]['asks'][number];
type Said = { verdict: 'approved' } | { verdict: 'refused'; why: string };

/** A run that still waits asks every few seconds, and a worker that is away for longer is not waited for by it. */
const STILL_MS = 5 * 60_000;
const LONGEST_WHY = 500;

/** Adds the commands to `muster site`. */
export function registerSiteAnswers(site: Command): void {
  const which = ['--request <code>', 'which of its requests, where a run has made several'] as const;
  withPlace(site.command('approvals'))
    .description('list the runs that wait for a person of a site to approve them')
    .option('--all', 'also those that were answered, or wait no longer')
    .action(list);
  examples(
    withPlace(site.command('approve'))
      .description('let a run start that waits for it at a site')
      .argument('<run>', 'its id')
      .option(...which)
      .action(approve),
    ['muster site approve penguins-1', 'muster site approve penguins-1 --site biscoe'],
  );
  examples(
    withPlace(site.command('refuse'))
      .description('say for good that a run does not start at a site')
      .argument('<run>', 'its id')
      .requiredOption('--why <text>', 'why; the consortium reads it')
      .option(...which)
      .action(refuse),
    ['muster site refuse penguins-1 --site biscoe --why "not before the ethics vote"'],
  );
}

function withPlace(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--site <id>',
        'ask the API, about this site; its site.yaml has to say `approval: page` (default: this machine is the site)',
      ),
    )
    .addOption(new Option(...API_OPTION))
    .option('--state <dir>', "at the site: the edge worker's state folder (default: MUSTER_STATE_DIR)")
    .option(...JSON_OPTION);
}

async function list({ all, ...where }: ListOptions): Promise<void> {
  const shown = <One extends { answer?: unknown }>(asked: readonly One[]) =>
    all ? asked : asked.filter(isWaiting);
  const now = Date.now();
  if (isRemote(where)) {
    const asks = shown(await readAsks(where));
    print(where.json, asks, describeAsks(asks));
    return;
  }
  const asked = shown(await (await openApprovals(where)).list());
  const rows = asked.map((one) => ({ ...one, code: codeOf(one), state: stateOf(one, now) }));
  print(where.json, rows, describeAll(asked, now));
}

async function approve(run: string, { request, ...where }: AnswerOptions): Promise<void> {
  const code = await answer(run, request, where, { verdict: 'approved' });
  printDone(where.json, `${run} is approved, with the request ${code}. If it waits, it goes on soon.`);
}

async function refuse(run: string, { request, why, ...where }: RefuseOptions): Promise<void> {
  if (why.trim() === '' || why.length > LONGEST_WHY)
    throw new UsageError(`--why takes a text of 1 to ${LONGEST_WHY} characters.`);
  const code = await answer(run, request, where, { verdict: 'refused', why: plain(why) });
  printDone(where.json, `${run} is refused, with the request ${code}.`);
}

/** Answers the request that is meant, and gives its code. */
async function answer(run: string, code: string | undefined, where: Where, said: Said): Promise<string> {
  if (isRemote(where)) {
    const ask = choose(await readAsks(where), run, code);
    const path = { siteId: where.site, askId: ask.id };
    await (await openApi(placeOf(where))).answerAsk({ path, body: said });
    return codeOf(ask);
  }
  const approvals = await openApprovals(where);
  const asked = choose(await approvals.list(), run, code);
  await approvals.answer(asked, { ...said, by: userInfo().username, at: Date.now() });
  return codeOf(asked);
}

/**
 * Whether the API is meant, and not this machine.
 * @throws UsageError where both are named
 */
function isRemote(where: Where): where is Where & { site: string } {
  if (where.site !== undefined && where.state !== undefined)
    throw new UsageError(
      "--site asks the API, and --state is the folder of a site's own machine: leave one out.",
    );
  if (where.site === undefined && where.api !== undefined)
    throw new UsageError('Name the site, too: --site ID.');
  return where.site !== undefined;
}

const placeOf = ({ api }: Where) => ({ ...(api !== undefined && { api }) });

/** What the site asks now, as it said to the API. */
async function readAsks(where: Where & { site: string }) {
  const { asks } = await (await openApi(placeOf(where))).getSite({ path: { siteId: where.site } });
  return asks.map((ask) => ({ ...ask, request: { runId: ask.runId } }));
}

interface Choosable {
  id: string;
  request: Pick<Asked['request'], 'runId'>;
  answer?: unknown;
}

/**
 * The request that is meant. Where a run has made several that wait, a person has to say which: the one that they looked at
 * may not be the one that came since.
 * @throws UsageError
 */
export function choose<One extends Choosable>(
  asked: readonly One[],
  run: string,
  code: string | undefined,
): One {
  const ofRun = asked.filter(({ request }) => request.runId === run);
  const open = ofRun.filter(isWaiting);
  const meant =
    code === undefined ? (open.length > 0 ? open : ofRun) : ofRun.filter(({ id }) => id.startsWith(code));
  const [first, ...others] = meant;
  if (first === undefined) {
    const what = code === undefined ? `No run ${run} has asked` : `No request ${code} of run ${run} was made`;
    throw new UsageError(`${what} here; \`muster site approvals --all\` lists what was.`);
  }
  if (others.length === 0) return first;
  const codes = meant.map(codeOf).join(', ');
  throw new UsageError(
    `${run} has asked for ${meant.length} different things (${codes}): look at \`muster site approvals\`, and say which by --request.`,
  );
}

async function openApprovals({ state = process.env.MUSTER_STATE_DIR }: Where): Promise<Approvals> {
  if (state === undefined || state === '') {
    throw new UsageError(
      "Name the edge worker's state folder: --state, or MUSTER_STATE_DIR as the worker has it.",
    );
  }
  try {
    await access(state, constants.R_OK | constants.X_OK);
  } catch (error) {
    const why =
      errorCode(error) === 'EACCES' ? 'may not be read by you: be the worker’s user' : 'is not there';
    throw new UsageError(`The state folder ${state} ${why}.`);
  }
  return new Approvals(state);
}

const isWaiting = ({ answer }: { answer?: unknown }) => answer === undefined;
const codeOf = ({ id }: Pick<Asked, 'id'>) => id.slice(0, REQUEST_LENGTH);

function stateOf({ answer, lastAsked }: Asked, now: number): string {
  if (answer) return answer.verdict;
  return now - lastAsked > STILL_MS ? 'asked' : 'waits';
}

const NOTHING = 'Nothing waits for approval.';

/** Everything that a person has to know to decide, as lines. */
export function describeAll(asked: readonly Asked[], now: number): string[] {
  return blocks(asked.map((one) => describe(one, now)));
}

/** The same, of what the site has told the API: where its data is stays there. */
export function describeAsks(asks: readonly Ask[]): string[] {
  return blocks(
    asks.map((ask) => {
      const { runId, since, consortium, computation, dataset, gets, answer } = ask;
      return block(`${runId}  ${answer === undefined ? 'waits' : `${answer.verdict}, not taken yet`}`, [
        ['request', codeOf(ask)],
        ['since', iso(since)],
        ...computationRows(consortium, computation),
        ['data', dataset],
        ['gets', gets],
        ...(answer === undefined ? [] : [['answer', answerWords({ ...answer, via: 'page' })] satisfies Row]),
      ]);
    }),
  );
}

type Row = [string, string];

/** One below the other, with an empty line between. */
function blocks(all: readonly string[][]): string[] {
  if (all.length === 0) return [NOTHING];
  return all.flatMap((lines, index) => [...(index === 0 ? [] : ['']), ...lines]);
}

function block(heading: string, rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return [heading, ...rows.map(([label, value]) => `  ${label.padEnd(width)}${plain(value)}`)];
}

function computationRows(consortium: Ask['consortium'], computation: Asked['request']['computation']): Row[] {
  return [
    ['consortium', consortium ? `${consortium.id} (${consortium.name})` : 'not said'],
    ['computation', `${computation.name} ${computation.version}`],
    ['image', computation.image ?? 'none: local processes'],
    ['command', computation.command.join(' ')],
    ...signatureRow(computation),
  ];
}

function describe(asked: Asked, now: number): string[] {
  const { request, grant, since, lastAsked, answer } = asked;
  const { computation, consortium, dataset } = request;
  const state = stateOf(asked, now);
  const heading = `${request.runId}  ${state}${state === 'asked' ? `, last at ${iso(lastAsked)}` : ''}`;
  return block(heading, [
    ['request', codeOf(asked)],
    ['since', iso(since)],
    ...computationRows(consortium, computation),
    ['data', `${dataset}: ${grant.folder === undefined ? 'no folder here' : `${grant.folder}, to read`}`],
    ['gets', grantWords(grant)],
    ['lets out', `logs ${grant.logs}; results ${grant.results}`],
    ...(answer ? [['answer', answerWords(answer)] satisfies Row] : []),
  ]);
}

function signatureRow({ signer, flaw }: Asked['request']['computation']): Row[] {
  if (signer !== undefined) return [['signed by', signer]];
  return flaw === undefined ? [] : [['signed by', `nobody: ${flaw}`]];
}

const answerWords = (
  answer: Pick<Answer, 'verdict' | 'by' | 'at'> & { why?: string | undefined; via?: 'page' | undefined },
) =>
  `${answer.verdict} by ${whoSaid(answer)}, ${iso(answer.at)}${answer.why === undefined ? '' : `: ${answer.why}`}`;
const iso = (at: number) => new Date(at).toISOString();
