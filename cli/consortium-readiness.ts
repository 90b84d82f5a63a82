/** `muster consortium readiness`: whether a run could start now, and what keeps each site from it. */
import type { Command } from 'commander';
import type { GetConsortiumReadinessResponses } from '../client/generated/types.gen';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { JSON_OPTION, print, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';

type Readiness = GetConsortiumReadinessResponses[200];

/** Adds the command to `muster consortium`. */
export function registerConsortiumReadiness(consortium: Command): void {
  examples(
    withApiOptions(consortium.command('readiness <consortium>'))
      .description(
        'say of each site whether it is there, lets the computation in and has the data, and why not',
      )
      .option(...JSON_OPTION)
      .action(show),
    [
      'muster consortium readiness penguins',
      `muster consortium readiness penguins --json | jq -r '.sites[] | select(.verdict != "ready") | .siteId'`,
    ],
  );
}

async function show(consortiumId: string, { json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const answer = await (await openApi(where)).getConsortiumReadiness({ path: { consortiumId } });
  print(json, answer, describeReadiness(answer));
}

const PRESENCE = { here: 'yes', away: 'no', unknown: 'not known' } as const;
const ALLOWED = { allowed: 'yes', 'needs-approval': 'asks a person', refused: 'no' } as const;
const IMAGE = {
  here: 'yes',
  'to-be-pulled': 'to be pulled',
  'not-needed': 'not needed',
  unknown: 'not known',
} as const;
const DATA = { present: 'yes', missing: 'no' } as const;
const READY = { ready: 'yes', waits: 'waits', 'not-ready': 'no', 'not-known': 'not known' } as const;

/** The verdicts as a person reads them: what is missing at all, a line for each site, and why. */
export function describeReadiness({ missing, sites }: Readiness): string[] {
  const rows = sites.map(({ siteId, membership, presence, computation, image, data, verdict }) => [
    ...[siteId, membership === 'invited' ? 'invited' : READY[verdict], PRESENCE[presence]],
    ...[computation && ALLOWED[computation], image && IMAGE[image], data && DATA[data]].map(
      (cell) => cell ?? '-',
    ),
  ]);
  const why = sites.flatMap(({ siteId, says }) => says.map((sentence) => [`${siteId}:`, plain(sentence)]));
  return [
    ...missing.map((sentence) => plain(sentence)),
    ...(sites.length === 0
      ? ['No site takes part yet.']
      : table([['SITE', 'READY', 'ONLINE', 'ALLOWED', 'IMAGE', 'DATA'], ...rows])),
    ...(why.length === 0 ? [] : ['', ...table(why)]),
  ];
}
