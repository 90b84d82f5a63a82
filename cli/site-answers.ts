/** `muster site approvals | approve | refuse`: what waits for a person at this site, and what they say. No server is asked. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { Approvals, type Answer, type Asked } from '../activities/edge/approvals';
import { whoSaid } from '../activities/edge/site-rules';
import { grantWords } from '../activities/edge/site-words';
import { errorCode } from '../nodes/error-code';
import { plain } from './progress';
import { UsageError } from './usage-error';

interface Where {
  state?: string;
}
interface ListOptions extends Where {
  all?: true;
  json?: true;
}
interface AnswerOptions extends Where {
  request?: string;
}
interface RefuseOptions extends AnswerOptions {
  why: string;
}

/** A run that still waits asks every few seconds, and a worker that is away for longer is not waited for by it. */
const STILL_MS = 5 * 60_000;
const CODE_LENGTH = 8;
const LONGEST_WHY = 500;

/** Adds the commands to `muster site`. */
export function registerSiteAnswers(site: Command): void {
  const stateOption = [
    '--state <dir>',
    "the edge worker's state folder (default: MUSTER_STATE_DIR)",
  ] as const;
  const which = ['--request <code>', 'which of its requests, where a run has made several'] as const;
  site
    .command('approvals')
    .description('list the runs that wait for a person here to approve them')
    .option(...stateOption)
    .option('--all', 'also those that were answered, or wait no longer')
    .option('--json', 'as JSON')
    .action(list);
  site
    .command('approve')
    .description('let a run that waits here start')
    .argument('<run>', 'its id')
    .option(...which)
    .option(...stateOption)
    .action(approve);
  site
    .command('refuse')
    .description('say for good that a run does not start here')
    .argument('<run>', 'its id')
    .requiredOption('--why <text>', 'why; the consortium reads it')
    .option(...which)
    .option(...stateOption)
    .action(refuse);
}

async function list({ all, json, ...where }: ListOptions): Promise<void> {
  const asked = await (await openApprovals(where)).list();
  const shown = all ? asked : asked.filter(isWaiting);
  if (json) {
    const rows = shown.map((one) => ({ ...one, code: codeOf(one), state: stateOf(one, Date.now()) }));
    process.stdout.write(`${JSON.stringify(rows)}\n`);
  } else process.stdout.write(`${describeAll(shown, Date.now()).join('\n')}\n`);
}

async function approve(run: string, { request, ...where }: AnswerOptions): Promise<void> {
  const asked = await answer(run, request, where, { verdict: 'approved' });
  process.stdout.write(
    `${run} is approved, with the request ${codeOf(asked)}. If it waits, it goes on soon.\n`,
  );
}

async function refuse(run: string, { request, why, ...where }: RefuseOptions): Promise<void> {
  if (why.trim() === '' || why.length > LONGEST_WHY)
    throw new UsageError(`--why takes a text of 1 to ${LONGEST_WHY} characters.`);
  const asked = await answer(run, request, where, { verdict: 'refused', why: plain(why) });
  process.stdout.write(`${run} is refused, with the request ${codeOf(asked)}.\n`);
}

async function answer(
  run: string,
  code: string | undefined,
  where: Where,
  said: Pick<Answer, 'verdict' | 'why'>,
): Promise<Asked> {
  const approvals = await openApprovals(where);
  const asked = choose(await approvals.list(), run, code);
  await approvals.answer(asked, { ...said, by: userInfo().username, at: Date.now() });
  return asked;
}

/**
 * The request that is meant. Where a run has made several that wait, a person has to say which: the one that they looked at
 * may not be the one that came since.
 * @throws UsageError
 */
export function choose(asked: readonly Asked[], run: string, code: string | undefined): Asked {
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

const isWaiting = ({ answer }: Asked) => answer === undefined;
const codeOf = ({ id }: Asked) => id.slice(0, CODE_LENGTH);

function stateOf({ answer, lastAsked }: Asked, now: number): string {
  if (answer) return answer.verdict;
  return now - lastAsked > STILL_MS ? 'asked' : 'waits';
}

/** Everything that a person has to know to decide, as lines. */
export function describeAll(asked: readonly Asked[], now: number): string[] {
  if (asked.length === 0) return ['Nothing waits for approval.'];
  return asked.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...describe(one, now)]);
}

function describe(asked: Asked, now: number): string[] {
  const { request, grant, since, lastAsked, answer } = asked;
  const { computation, consortium, dataset } = request;
  const state = stateOf(asked, now);
  const heading = `${request.runId}  ${state}${state === 'asked' ? `, last at ${iso(lastAsked)}` : ''}`;
  const rows: [string, string][] = [
    ['request', codeOf(asked)],
    ['since', iso(since)],
    ['consortium', consortium ? `${consortium.id} (${consortium.name})` : 'not said'],
    ['computation', `${computation.name} ${computation.version}`],
    ['image', computation.image ?? 'none: local processes'],
    ['command', computation.command.join(' ')],
    ...signatureRow(computation),
    ['data', `${dataset}: ${grant.folder === undefined ? 'no folder here' : `${grant.folder}, to read`}`],
    ['gets', grantWords(grant)],
    ['lets out', `logs ${grant.logs}; results ${grant.results}`],
    ...(answer ? [['answer', answerWords(answer)] satisfies [string, string]] : []),
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return [heading, ...rows.map(([label, value]) => `  ${label.padEnd(width)}${plain(value)}`)];
}

function signatureRow({ signer, flaw }: Asked['request']['computation']): [string, string][] {
  if (signer !== undefined) return [['signed by', signer]];
  return flaw === undefined ? [] : [['signed by', `nobody: ${flaw}`]];
}

const answerWords = (answer: Answer) =>
  `${answer.verdict} by ${whoSaid(answer)}, ${iso(answer.at)}${answer.why === undefined ? '' : `: ${answer.why}`}`;
const iso = (at: number) => new Date(at).toISOString();
