/** `muster session`: the browsers in which one is signed in. */
import type { Command } from 'commander';
import type { SessionList } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { day, JSON_OPTION, moment, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';

type Where = ApiOptions & JsonOption;

/** Adds `muster session`. */
export function registerSession(program: Command): void {
  const session = program.command('session').description('the browsers in which you are signed in');
  withApiOptions(session.command('ls'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(list);
  withApiOptions(session.command('end'))
    .description('sign one of them out')
    .argument('<id>', 'its id, as `muster session ls` shows it')
    .option(...JSON_OPTION)
    .action(end);
}

async function list({ json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listSessions();
  print(json, answer, sessionTable(answer.sessions));
}

/** A line for each, below a line of headings. */
export function sessionTable(sessions: readonly SessionList['sessions'][number][]): string[] {
  if (sessions.length === 0) return ['You are signed in nowhere.'];
  return table([
    ['ID', 'SINCE', 'LAST USED', 'UNTIL', 'FROM', 'BROWSER'],
    ...sessions.map(({ id, createdAt, seenAt, expiresAt, address, agent }) => [
      ...[id, moment(createdAt), moment(seenAt), day(expiresAt), plain(address), plain(agent) || '-'],
    ]),
  ]);
}

async function end(id: string, { json, ...where }: Where): Promise<void> {
  await (await openApi(where)).endSession({ path: { id } });
  printDone(json, `The session ${id} has ended.`);
}
