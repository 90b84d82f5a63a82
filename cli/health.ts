/** `muster health`: whether the central API has all that it needs. */
import type { Command } from 'commander';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { JSON_OPTION, print, type JsonOption } from './output';
import { table } from './table';

/** Adds `muster health`. */
export function registerHealth(program: Command): void {
  withApiOptions(program.command('health'))
    .description('say whether the database, Temporal and the object store answer the central API')
    .option(...JSON_OPTION)
    .action(health);
}

async function health({ json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const ready = await (await openApi(where)).getReadiness();
  print(json, ready, table(Object.entries(ready.checks)));
}
