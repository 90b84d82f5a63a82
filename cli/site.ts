/** `muster site`: the sites of the consortia, which of them are there, and who may be one. */
import { InvalidArgumentError, type Command } from 'commander';
import type { SiteView } from '../workflows/api-contract';
import { ConsortiumId, SiteId } from '../workflows/contract';
import { MAX_CODE_HOURS, type SiteInvitation } from '../workflows/identity-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { JSON_OPTION, print, type JsonOption } from './output';
import { plain } from './progress';
import { registerSiteAnswers } from './site-answers';
import { registerSiteCheck } from './site-check';
import { registerSitePeople } from './site-people';
import { registerSiteShow, standingText } from './site-show';
import { table } from './table';
import { UsageError } from './usage-error';

interface ListOptions extends ApiOptions, JsonOption {
  consortium?: string;
}

interface AddOptions extends ApiOptions, JsonOption {
  expires: number;
}

interface JoinOptions {
  dir: string;
  force?: true;
}

const CODE_HOURS = 24;

/** Adds `muster site`. */
export function registerSite(program: Command): void {
  const site = program.command('site').description('the sites of the consortia');
  withApiOptions(site.command('ls'))
    .description('list the sites, whether they have joined, and whether their edge workers are there')
    .option('--consortium <id>', 'only those of this consortium')
    .option(...JSON_OPTION)
    .action(list);
  registerSiteShow(site);
  withApiOptions(site.command('add'))
    .description('add a site: get a code by which it joins once')
    .argument('<site>', "the site's id")
    .option('--expires <time>', 'how long the code is good for, such as 12h or 3d', hours, CODE_HOURS)
    .option(...JSON_OPTION)
    .action(add);
  site
    .command('join')
    .description('at the site: exchange a code for the certificate by which this machine is the site')
    .argument('<url>', "the API's address for sites, as it came with the code")
    .argument('<code>', 'the code')
    .option('--dir <dir>', 'where site.yaml and the key and certificates go', '.')
    .option('--force', 'replace a key that is there')
    .action(join);
  withApiOptions(site.command('revoke'))
    .description('cut a site off: end its certificates and its code')
    .argument('<site>', "the site's id")
    .requiredOption('--why <reason>', 'why, for the record')
    .option(...JSON_OPTION)
    .action(revoke);
  examples(
    withApiOptions(site.command('answer <site> <consortium>'))
      .description('answer the invitation of a consortium for a site that you administer')
      .option('--dataset <name>', 'take part, with the data that site.yaml maps under this name')
      .option('--decline', 'do not take part')
      .option('--reason <text>', 'why not; the consortium reads it')
      .option(...JSON_OPTION)
      .action(answer),
    ['muster site answer biscoe penguins --dataset penguins'],
  );
  withApiOptions(site.command('leave <site> <consortium>'))
    .description('take a site out of a consortium')
    .option(...JSON_OPTION)
    .action(leave);
  registerSitePeople(site);
  registerSiteCheck(site);
  registerSiteAnswers(site);
}

async function add(siteId: string, { expires, json, ...where }: AddOptions): Promise<void> {
  mustBeSite(siteId);
  const api = await openApi(where);
  const invitation = await api.addSite({ body: { id: siteId, hours: expires } });
  print(json, invitation, invitationText(invitation));
}

/** What the one who added a site passes on. */
export function invitationText({ siteId, siteApiUrl, code, expiresAt }: SiteInvitation): string[] {
  return [
    `On the machine that is to be ${siteId}, before ${new Date(expiresAt).toISOString()}:`,
    '',
    `  muster site join ${siteApiUrl} ${code}`,
    '',
    'The code is good once. Whoever has it can be the site: give it to nobody else. It is not kept anywhere.',
  ];
}

async function join(url: string, code: string, options: JoinOptions): Promise<void> {
  // What it needs takes a moment to load, and nobody else needs it.
  const { joinSite } = await import('./site-join.js');
  for (const line of await joinSite(url, code, options)) process.stdout.write(`${line}\n`);
}

interface AnswerOptions extends ApiOptions, JsonOption {
  dataset?: string;
  decline?: true;
  reason?: string;
}

async function answer(siteId: string, consortiumId: string, options: AnswerOptions): Promise<void> {
  const { dataset, decline, reason, json, ...where } = options;
  if ((dataset === undefined) === (decline === undefined))
    throw new UsageError('Say either --dataset NAME, to take part, or --decline.');
  const body =
    dataset === undefined
      ? { accept: false as const, ...(reason !== undefined && { reason }) }
      : { accept: true as const, dataset };
  const after = await (await openApi(where)).answerInvitation({ path: { consortiumId, siteId }, body });
  const done = dataset === undefined ? 'has declined' : 'takes part in';
  print(json, after, [`${siteId} ${done} ${consortiumId}.`]);
}

async function leave(
  siteId: string,
  consortiumId: string,
  { json, ...where }: ApiOptions & JsonOption,
): Promise<void> {
  const after = await (await openApi(where)).removeSite({ path: { consortiumId, siteId } });
  print(json, after, [`${siteId} has no part in ${consortiumId} any more.`]);
}

async function revoke(
  siteId: string,
  { why, json, ...where }: ApiOptions & JsonOption & { why: string },
): Promise<void> {
  mustBeSite(siteId);
  const api = await openApi(where);
  const revoked = await api.revokeSite({ path: { siteId }, body: { reason: why } });
  const { certificates } = revoked;
  const ended = certificates === 1 ? '1 certificate was' : `${certificates} certificates were`;
  print(json, revoked, [
    `${siteId} is cut off: ${ended} good until now. \`muster site add ${siteId}\` lets it join again.`,
  ]);
}

function mustBeSite(siteId: string): void {
  const checked = SiteId.safeParse(siteId);
  if (!checked.success)
    throw new UsageError(
      `${JSON.stringify(siteId)} is not the id of a site: ${checked.error.issues[0]?.message ?? 'not valid'}.`,
    );
}

function hours(text: string): number {
  const [, amount = '', unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  const count = Number(amount) * (unit === 'd' ? 24 : 1);
  if (amount === '' || count < 1 || count > MAX_CODE_HOURS)
    throw new InvalidArgumentError(`It is a time such as 12h or 3d, and at most ${MAX_CODE_HOURS / 24}d.`);
  return count;
}

async function list({ consortium, json, ...where }: ListOptions): Promise<void> {
  if (consortium !== undefined && !ConsortiumId.safeParse(consortium).success)
    throw new UsageError(`${JSON.stringify(consortium)} is not the id of a consortium.`);
  const api = await openApi(where);
  const answer = await api.listSites({ query: { ...(consortium !== undefined && { consortium }) } });
  print(json, answer, siteTable(answer.sites));
}

/** One line for each site, below a line of headings. */
export function siteTable(sites: readonly SiteView[]): string[] {
  if (sites.length === 0) return ['No sites.'];
  return table([
    ['SITE', 'STANDING', 'PRESENCE', 'LAST SEEN', 'RUNTIMES', 'VERSION', 'CONSORTIA', 'NAME'],
    ...sites.map(({ id, name = '', consortia, presence, seenAt, runtimes = [], version = '', standing }) => [
      ...[id, standingText(standing), presence],
      seenAt === undefined ? 'never' : new Date(seenAt).toISOString(),
      ...[runtimes.join(','), plain(version), consortia.join(','), plain(name)].map((cell) => cell || '-'),
    ]),
  ]);
}
