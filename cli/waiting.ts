/** `muster waiting`: what waits for somebody to do something. */
import type { Command } from 'commander';
import type { WaitingItem } from '../workflows/changes-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { JSON_OPTION, print, type JsonOption } from './output';
import { plain } from './progress';

interface Options extends ApiOptions, JsonOption {
  mine?: true;
}

/** Adds `muster waiting`. */
export function registerWaiting(program: Command): void {
  examples(
    withApiOptions(program.command('waiting'))
      .description('list what waits for somebody to do something, your own tasks first')
      .option('--mine', 'only your own')
      .option(...JSON_OPTION)
      .action(list),
    ['muster waiting --mine', `muster waiting --json | jq -r '.waiting[] | .message'`],
  );
}

async function list({ mine, json, ...where }: Options): Promise<void> {
  const { waiting } = await (await openApi(where)).listWaiting();
  const shown = mine ? waiting.filter((one) => one.mine) : waiting;
  print(json, { waiting: shown }, describeWaiting(shown));
}

/** What each waits for, whose turn it is, and what to do. */
export function describeWaiting(waiting: readonly WaitingItem[]): string[] {
  if (waiting.length === 0) return ['Nothing waits.'];
  return waiting.flatMap((item, index) => [
    ...(index === 0 ? [] : ['']),
    `${item.mine ? '* ' : '  '}${titleOf(item)}: ${plain(item.message)}`,
    `    ${plain(item.turn)}: ${plain(item.advice)}`,
  ]);
}

function titleOf(item: WaitingItem): string {
  if (item.kind === 'invitation') return `invitation of ${item.siteId} to ${item.consortiumId}`;
  return `${item.runId}, ${item.node}, ${item.type}`;
}
