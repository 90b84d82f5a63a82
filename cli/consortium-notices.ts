/** `muster consortium notices`: who is told, by webhook or by mail, of what happens to a consortium's runs. */
import type { Command } from 'commander';
import type { ListNoticesResponses } from '../client/generated/types.gen';
import { NOTICE_EVENTS, type NoticeBody, type NoticeEvent } from '../workflows/notice-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { NO_MAIL_SERVER, ON_OPTION } from './notice-events';
import { JSON_OPTION, moment, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';

type Where = ApiOptions & JsonOption;
type Notice = ListNoticesResponses[200]['notices'][number];
interface PutOptions extends Where {
  on: NoticeEvent[];
  newSecret?: true;
}

/** Adds the commands to `muster consortium`. */
export function registerConsortiumNotices(consortium: Command): void {
  const notices = consortium.command('notices').description('who is told of what happens to its runs');
  withApiOptions(notices.command('ls <consortium>'))
    .description('list who is told of what, and what became of it')
    .option(...JSON_OPTION)
    .action(list);
  examples(
    withApiOptions(notices.command('webhook <consortium> <name> <url>'))
      .description(
        'post a signed message to an address, or change of what; what was switched off is on again',
      )
      .option(...ON_OPTION, [...NOTICE_EVENTS])
      .option('--new-secret', 'make another secret for the signatures')
      .option(...JSON_OPTION)
      .action(webhook),
    [
      'muster consortium notices webhook penguins lab-chat https://chat.example.org/hooks/muster --on failed,waiting',
    ],
  );
  examples(
    withApiOptions(notices.command('email <consortium> <name> <address>'))
      .description('send a mail to an address, or change of what; what was switched off is on again')
      .option(...ON_OPTION, [...NOTICE_EVENTS])
      .option(...JSON_OPTION)
      .action(email),
    ['muster consortium notices email penguins statistics stats@example.org --on finished'],
  );
  withApiOptions(notices.command('test <consortium> <name>'))
    .description('send a test; what became of it is listed after some seconds')
    .option(...JSON_OPTION)
    .action(test);
  withApiOptions(notices.command('rm <consortium> <name>'))
    .description('tell somebody no more')
    .option(...JSON_OPTION)
    .action(remove);
}

async function list(consortiumId: string, { json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listNotices({ path: { consortiumId } });
  const byMail = answer.notices.some(({ kind }) => kind === 'email');
  print(json, answer, [
    ...noticeTable(answer.notices),
    ...(answer.noMailServer && byMail ? ['', NO_MAIL_SERVER] : []),
  ]);
}

/** A line for each receiver, below a line of headings; where something is amiss, why. */
export function noticeTable(notices: readonly Notice[]): string[] {
  if (notices.length === 0) return ['Nobody is told.'];
  const trouble = notices.flatMap(({ id, off, deliveries: [last] }) => {
    const why = off?.reason ?? (last?.state === 'delivered' ? undefined : last?.problem);
    return why === undefined ? [] : [[`${id}:`, plain(why)]];
  });
  return [
    ...table([
      ['NAME', 'KIND', 'STATE', 'OF', 'LAST', 'TO'],
      ...notices.map((notice) => [
        ...[notice.id, notice.kind, stateText(notice), notice.on.join(','), lastText(notice)],
        plain(notice.kind === 'webhook' ? notice.url : notice.to),
      ]),
    ]),
    ...(trouble.length === 0 ? [] : ['', ...table(trouble)]),
  ];
}

function stateText({ off, failingSince }: Notice): string {
  if (off !== undefined) return `off since ${moment(off.at)}`;
  return failingSince === undefined ? 'on' : `fails since ${moment(failingSince)}`;
}

function lastText({ deliveries: [last] }: Notice): string {
  return last === undefined
    ? 'nothing yet'
    : `${last.event} ${last.state} ${moment(last.triedAt ?? last.createdAt)}`;
}

const webhook = (consortiumId: string, name: string, url: string, { on, ...options }: PutOptions) =>
  put(consortiumId, name, { kind: 'webhook', url, on }, options);
const email = (consortiumId: string, name: string, to: string, { on, ...options }: PutOptions) =>
  put(consortiumId, name, { kind: 'email', to, on }, options);

async function put(
  consortiumId: string,
  noticeId: string,
  body: NoticeBody,
  { newSecret, json, ...where }: Omit<PutOptions, 'on'>,
): Promise<void> {
  const query = { renewSecret: newSecret ? 'true' : 'false' } as const;
  const answer = await (await openApi(where)).putNotice({ path: { consortiumId, noticeId }, query, body });
  const { secret } = answer;
  const target = body.kind === 'webhook' ? body.url : body.to;
  const told = `${noticeId} is told of runs of ${consortiumId} that are ${body.on.join(', ')}, at ${target}.`;
  if (secret === undefined) print(json, answer, [told]);
  else {
    // In a pipe the secret stands alone.
    print(json, answer, [secret]);
    if (!json)
      process.stderr.write(
        `${told} The secret verifies its signatures (Standard Webhooks), and is not shown again.\n`,
      );
  }
}

async function test(consortiumId: string, noticeId: string, { json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).testNotice({ path: { consortiumId, noticeId } });
  print(json, answer, [
    `A test is on its way: \`muster consortium notices ls ${consortiumId}\` says whether it arrived.`,
  ]);
}

async function remove(consortiumId: string, noticeId: string, { json, ...where }: Where): Promise<void> {
  await (await openApi(where)).removeNotice({ path: { consortiumId, noticeId } });
  printDone(json, `${noticeId} is told no more.`);
}
