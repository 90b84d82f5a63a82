/** `muster audit`: who did what. */
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { AuditEntry } from '../workflows/audit-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { JSON_OPTION, moment, print, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

interface AuditOptions extends ApiOptions, JsonOption {
  consortium?: string;
  site?: string;
  run?: string;
  who?: string;
  limit: string;
  export?: true;
}

const PAGE = 200;

/** Adds `muster audit`. */
export function registerAudit(program: Command): void {
  examples(
    withApiOptions(program.command('audit'))
      .description('list who did what, the newest first')
      .option('--consortium <id>', 'only in this consortium')
      .option('--site <id>', 'only of this site')
      .option('--run <id>', 'only of this run')
      .option('--who <person>', 'only by this person')
      .option('--limit <n>', 'as many at most', '50')
      .option('--export', 'all there is, the oldest first, an entry a line as JSON; for admins')
      .option(...JSON_OPTION)
      .action(list),
    [
      'muster audit --consortium penguins',
      'muster audit --run penguins-1 --json',
      'muster audit --export > audit.ndjson',
    ],
  );
}

async function list({
  limit,
  json,
  consortium,
  site,
  run,
  who,
  export: all,
  ...where
}: AuditOptions): Promise<void> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) throw new UsageError(`--limit ${limit} is not a number.`);
  const api = await openApi(where);
  if (all) {
    if ((consortium ?? site ?? run ?? who) !== undefined)
      throw new UsageError('--export is of all there is: leave out what narrows it down.');
    const { signal } = new AbortController();
    await pipeline(await api.openStream('/api/audit/export', signal), process.stdout, { end: false });
    return;
  }
  const only = {
    ...(consortium && { consortium }),
    ...(site && { site }),
    ...(run && { run }),
    ...(who && { who }),
  };
  const entries: AuditEntry[] = [];
  let after: number | undefined;
  do {
    const page = await api.listAudit({
      query: { ...only, limit: Math.min(PAGE, most - entries.length), ...(after !== undefined && { after }) },
    });
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined && entries.length < most);
  print(json, { entries }, auditTable(entries));
}

export function auditTable(entries: readonly AuditEntry[]): string[] {
  if (entries.length === 0) return ['Nothing.'];
  return table([
    ['WHEN', 'WHO', 'WHAT', 'OF', 'FROM'],
    ...entries.map(({ at, by, action, consortiumId, siteId, runId, address }) => {
      const of = [runId, consortiumId, siteId].filter((id) => id !== undefined);
      return [moment(at), plain(by), action, of.join(' ') || '-', plain(address)];
    }),
  ]);
}
