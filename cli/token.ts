/** `muster token`: one's own personal tokens, for programs. */
import { Option, type Command } from 'commander';
import { SCOPES, type Scope, type TokenView } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { day, JSON_OPTION, moment, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

interface CreateOptions extends ApiOptions, JsonOption {
  scope: Scope;
  days: string;
}

const DAY_MS = 86_400_000;

/** Adds `muster token`. */
export function registerToken(program: Command): void {
  const token = program.command('token').description('personal tokens, by which programs act for you');
  withApiOptions(token.command('ls'))
    .description('list your tokens')
    .option(...JSON_OPTION)
    .action(list);
  examples(
    withApiOptions(token.command('create'))
      .description('make a token; it is shown this once')
      .argument('<name>', 'what it is for')
      .addOption(
        new Option('--scope <scope>', 'read: look only; run: also start, stop and retry runs; all')
          .choices(SCOPES)
          .default('read'),
      )
      .option('--days <days>', 'how long it is good for', '90')
      .option(...JSON_OPTION)
      .action(create),
    ['muster token create "nightly runs" --scope run --days 30'],
  );
  withApiOptions(token.command('revoke'))
    .description('end a token')
    .argument('<id>', 'its id, as `muster token ls` shows it')
    .option(...JSON_OPTION)
    .action(revoke);
}

async function list({ json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const answer = await (await openApi(where)).listTokens();
  print(json, answer, tokenTable(answer.tokens));
}

export function tokenTable(tokens: readonly TokenView[]): string[] {
  if (tokens.length === 0) return ['No tokens.'];
  return table([
    ['ID', 'SCOPE', 'UNTIL', 'LAST USED', 'NAME'],
    ...tokens.map(({ id, name, scope, expiresAt, usedAt }) => [
      ...[id, scope, day(expiresAt)],
      ...[usedAt === undefined ? 'never' : moment(usedAt), plain(name)],
    ]),
  ]);
}

async function create(name: string, { scope, days, json, ...where }: CreateOptions): Promise<void> {
  const lifetime = Number(days);
  if (!Number.isInteger(lifetime) || lifetime < 1)
    throw new UsageError(`--days ${days} is not a number of days.`);
  const body = { name, scope, expiresAt: Date.now() + lifetime * DAY_MS };
  const made = await (await openApi(where)).createToken({ body });
  print(json, made, [made.token]);
  if (!json) process.stderr.write(`It is good until ${day(made.expiresAt)}, and is not shown again.\n`);
}

async function revoke(id: string, { json, ...where }: ApiOptions & JsonOption): Promise<void> {
  await (await openApi(where)).deleteToken({ path: { id } });
  printDone(json, `The token ${id} is no longer good.`);
}
