/** `muster site`: the sites of the consortia, and which of them are there. */
import type { Command } from 'commander';
import type { SiteView } from '../workflows/api-contract';
import { ConsortiumId } from '../workflows/contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { plain } from './progress';
import { registerSiteAnswers } from './site-answers';
import { registerSiteCheck } from './site-check';
import { table } from './table';
import { UsageError } from './usage-error';

interface ListOptions extends ApiOptions {
  consortium?: string;
  json?: true;
}

/** Adds `muster site`. */
export function registerSite(program: Command): void {
  const site = program.command('site').description('the sites of the consortia');
  withApiOptions(site.command('ls'))
    .description('list the sites, and whether their edge workers are there')
    .option('--consortium <id>', 'only those of this consortium')
    .option('--json', 'as JSON')
    .action(list);
  registerSiteCheck(site);
  registerSiteAnswers(site);
}

async function list({ consortium, json, ...where }: ListOptions): Promise<void> {
  if (consortium !== undefined && !ConsortiumId.safeParse(consortium).success)
    throw new UsageError(`${JSON.stringify(consortium)} is not the id of a consortium.`);
  const api = await openApi(where);
  const answer = await api.listSites(consortium);
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else for (const line of siteTable(answer.sites)) process.stdout.write(`${line}\n`);
}

/** One line for each site, below a line of headings. */
export function siteTable(sites: readonly SiteView[]): string[] {
  if (sites.length === 0) return ['No sites.'];
  return table([
    ['SITE', 'PRESENCE', 'LAST SEEN', 'RUNTIMES', 'VERSION', 'CONSORTIA', 'NAME'],
    ...sites.map(({ id, name = '', consortia, presence, seenAt, runtimes = [], version = '' }) => [
      ...[id, presence, seenAt === undefined ? 'never' : new Date(seenAt).toISOString()],
      ...[runtimes.join(','), plain(version), consortia.join(','), plain(name)].map((cell) => cell || '-'),
    ]),
  ]);
}
