/** `muster site show`: one site, as far as one may see it. */
import type { Command } from 'commander';
import type { GetSiteResponses } from '../client/generated/types.gen';
import type { SiteView } from '../workflows/api-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { day, JSON_OPTION, moment, print, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';

type Detail = GetSiteResponses[200];

/** Adds the command to `muster site`. */
export function registerSiteShow(site: Command): void {
  withApiOptions(site.command('show <site>'))
    .description(
      'show whether a site is there, what it lets in by its own words, its consortia, and what waits there',
    )
    .option(...JSON_OPTION)
    .action(show);
}

async function show(siteId: string, { json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const answer = await (await openApi(where)).getSite({ path: { siteId } });
  print(json, answer, describeSite(answer));
}

/** Such as `joined until 2026-12-23`. */
export function standingText(standing: SiteView['standing']): string {
  if (standing === undefined) return '-';
  const { state, at } = standing;
  const since = state === 'invited' || state === 'joined' ? 'until' : 'since';
  return `${state} ${since} ${day(at)}`;
}

const PRESENCE = { here: 'there', away: 'away', unknown: 'not known' } as const;

/** The site as a person reads it. */
export function describeSite({ site, memberships, policy, asks, saidAt }: Detail): string[] {
  const { id, name, presence, seenAt, version, runtimes = [], standing } = site;
  const seen = seenAt === undefined ? 'never heard of' : `last heard of ${moment(seenAt)}`;
  const closed = policy?.closed;
  const until = closed?.until === undefined ? '' : ` Until ${moment(closed.until)}.`;
  return [
    name === undefined || name === id ? id : `${id}  ${plain(name)}`,
    ...table([
      ['  edge worker', `${PRESENCE[presence]}, ${seen}`],
      ...(standing === undefined ? [] : [['  certificate', standingText(standing)]]),
      ...(version === undefined ? [] : [['  version', plain(version)]]),
      ...(runtimes.length === 0 ? [] : [['  runs nodes with', runtimes.join(', ')]]),
    ]),
    '',
    saidAt === undefined
      ? 'What it lets in: it has not said it'
      : `What it lets in, as it said ${moment(saidAt)}`,
    ...(closed === undefined ? [] : [`  Nothing new starts there now: ${plain(closed.says)}${until}`]),
    ...(policy?.says ?? []).map((sentence) => `  ${plain(sentence)}`),
    '',
    ...(memberships.length === 0
      ? ['It is in no consortium that you see.']
      : table([
          ['CONSORTIUM', 'STATE', 'DATASET', 'COMPUTATION', 'SINCE', 'NAME'],
          ...memberships.map(({ consortium, state, dataset = '-', computation, invitedAt, answeredAt }) => [
            ...[consortium.id, state, dataset],
            computation === undefined ? '-' : `${computation.name}@${computation.version}`,
            ...[day(answeredAt ?? invitedAt), plain(consortium.name)],
          ]),
        ])),
    ...(asks.length === 0
      ? []
      : [
          '',
          ...table([
            ['RUN THAT WAITS', 'REQUEST', 'COMPUTATION', 'DATASET', 'SINCE', 'ANSWER', 'WOULD GET'],
            ...asks.map(({ id: ask, runId, computation, dataset, since, gets, answer }) => [
              ...[runId, ask.slice(0, REQUEST_LENGTH), `${computation.name}@${computation.version}`, dataset],
              ...[moment(since), answer?.verdict ?? '-', plain(gets)],
            ]),
          ]),
        ]),
  ];
}

/** As much of a request's id as tells it apart. */
export const REQUEST_LENGTH = 8;
