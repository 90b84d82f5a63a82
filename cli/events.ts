/** `muster events`: what changes in what one may see, as it happens. */
import type { Command } from 'commander';
import { followChanges } from '../client';
import type { Change } from '../workflows/changes-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { listenForInterrupts } from './interrupts';
import { moment, type JsonOption } from './output';
import { plain } from './progress';

/** Adds `muster events`. */
export function registerEvents(program: Command): void {
  examples(
    withApiOptions(program.command('events'))
      .description('tell what changes in what you may see, a line for each change, until you press Ctrl-C')
      .option('--json', 'each change as a line of JSON')
      .action(events),
    [
      'muster events',
      `muster events --json | jq --unbuffered -r 'select(.type == "run" and .run.state == "failed") | .run.runId'`,
    ],
  );
}

async function events({ json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const api = await openApi(where);
  const { asked: signal } = listenForInterrupts();
  for await (const change of followChanges(api, { signal }))
    process.stdout.write(`${json ? JSON.stringify(change) : describeChange(change)}\n`);
}

const PRESENCE = { here: 'is there', away: 'is away', unknown: 'is not known to be there' } as const;

/** A change as a person reads it. */
export function describeChange(change: Change): string {
  switch (change.type) {
    case 'run': {
      const { runId, state, since, consortium } = change.run;
      return `run ${runId} is ${state} since ${moment(since)} (${plain(consortium.name)})`;
    }
    case 'site':
      return `site ${change.siteId} ${change.presence === undefined ? 'has changed' : PRESENCE[change.presence]}`;
    case 'consortium':
      return `consortium ${change.consortiumId} has changed`;
    case 'waiting':
      return 'something else waits for people: `muster waiting`';
    case 'look-again':
      return 'from here on changes are told';
  }
}
