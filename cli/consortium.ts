/** `muster consortium`: who belongs together, what they compute, and who of them may do what. */
import type { Command } from 'commander';
import { isProblem } from '../client';
import type { GetConsortiumResponses } from '../client/generated/types.gen';
import { openApi, openApiWithTags, withApiOptions, type ApiOptions } from './api-access';
import { parseParameters, readText } from './arguments';
import { parseRef } from './computation';
import { registerConsortiumNotices } from './consortium-notices';
import { registerConsortiumPeople } from './consortium-people';
import { registerConsortiumReadiness } from './consortium-readiness';
import { examples } from './help';
import { day, JSON_OPTION, moment, print, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

type Where = ApiOptions & JsonOption;
type Consortium = GetConsortiumResponses[200];

/** Adds `muster consortium`. */
export function registerConsortium(program: Command): void {
  const consortium = program
    .command('consortium')
    .description('consortia: their sites, what they compute, and their people');
  withApiOptions(consortium.command('ls'))
    .description('list those that you may see')
    .option('--archived', 'also those of which no run can be started any more')
    .option(...JSON_OPTION)
    .action(list);
  withApiOptions(consortium.command('show <consortium>'))
    .description('show its sites, its computation and its parameters')
    .option(...JSON_OPTION)
    .action(show);
  examples(
    withApiOptions(consortium.command('create <name>'))
      .description('found a consortium, and become its lead')
      .option('--id <id>', 'what it is called in addresses (default: made of the name)')
      .option('--description <text>', 'what it is about')
      .option(
        '--computation <name@version>',
        'what it computes; `muster computation ls` lists what is registered',
      )
      .option('--parameters <file>', 'the parameters of its runs, JSON or YAML')
      .option(...JSON_OPTION)
      .action(create),
    [
      'muster consortium create "Penguins of the Palmer archipelago" --id penguins --computation penguins@1.0.0',
    ],
  );
  examples(
    withApiOptions(consortium.command('edit <consortium>'))
      .description('change what is named, and leave the rest as it is')
      .option('--name <name>', 'another name')
      .option('--description <text>', 'what it is about')
      .option('--computation <name@version>', 'what it computes')
      .option(
        '--parameters <file>',
        'the parameters of its runs, JSON or YAML; secret ones that are left out stay',
      )
      .option('--archive', 'let no run of it be started')
      .option('--unarchive', 'let runs of it be started again')
      .option(...JSON_OPTION)
      .action(edit),
    ['muster consortium edit penguins --computation penguins@1.1.0 --parameters parameters.yaml'],
  );
  withApiOptions(consortium.command('invite <consortium> <site>'))
    .description('invite a site; its administrators answer (`muster site answer`)')
    .option('--name <name>', 'what the consortium calls it')
    .option(...JSON_OPTION)
    .action(inviteSite);
  withApiOptions(consortium.command('remove <consortium> <site>'))
    .description('let a site go, or take an invitation back')
    .option(...JSON_OPTION)
    .action(removeSite);
  withApiOptions(consortium.command('changes <consortium>'))
    .description('list what somebody changed, the newest first')
    .option('--limit <n>', 'as many at most', '50')
    .option(...JSON_OPTION)
    .action(changes);
  registerConsortiumReadiness(consortium);
  registerConsortiumNotices(consortium);
  registerConsortiumPeople(consortium);
}

async function list({ json, archived, ...where }: Where & { archived?: true }): Promise<void> {
  const query = { archived: archived ? 'true' : 'false' } as const;
  const answer = await (await openApi(where)).listConsortia({ query });
  print(json, answer, consortiumTable(answer.consortia));
}

export function consortiumTable(consortia: readonly Consortium[]): string[] {
  if (consortia.length === 0) return ['No consortia.'];
  return table([
    ['CONSORTIUM', 'COMPUTATION', 'SITES', 'NAME'],
    ...consortia.map(({ id, name, computation, sites }) => [
      ...[id, computationText(computation), sites.map((site) => site.id).join(',') || '-', plain(name)],
    ]),
  ]);
}

async function show(consortiumId: string, { json, ...where }: Where): Promise<void> {
  const consortium = await (await openApi(where)).getConsortium({ path: { consortiumId } });
  print(json, consortium, describeConsortium(consortium));
}

export function describeConsortium(consortium: Consortium): string[] {
  const {
    id,
    name,
    description,
    computation,
    memberships,
    parameters,
    secrets = [],
    archivedAt,
  } = consortium;
  return [
    `${id}  ${plain(name)}`,
    ...(description === undefined ? [] : [`  ${plain(description)}`]),
    ...(archivedAt === undefined ? [] : [`  archived since ${day(archivedAt)}`]),
    ...table([
      ['  computation', computationText(computation)],
      ['  parameters', JSON.stringify(parameters)],
      ...(secrets.length === 0 ? [] : [['  not shown', secrets.join(' ')]]),
    ]),
    '',
    ...table([
      ['SITE', 'STATE', 'DATASET', 'SINCE', 'NAME'],
      ...memberships.map(({ siteId, state, dataset, invitedAt, answeredAt, name: called }) => [
        ...[siteId, state, dataset ?? '-', day(answeredAt ?? invitedAt), plain(called)],
      ]),
    ]),
  ];
}

const computationText = (ref: Consortium['computation']) =>
  ref === undefined ? 'none yet' : `${ref.name}@${ref.version}`;

interface Draft extends Where {
  description?: string;
  computation?: string;
  parameters?: string;
}
interface EditOptions extends Draft {
  name?: string;
  archive?: true;
  unarchive?: true;
}

/** What of a consortium the options name. */
async function named({ description, computation, parameters: file }: Draft) {
  return {
    ...(description !== undefined && { description }),
    ...(computation !== undefined && { computation: parseRef(computation) }),
    ...(file !== undefined && { parameters: parseParameters(await readText(file), file) }),
  };
}

async function create(name: string, { id, ...options }: Draft & { id?: string }): Promise<void> {
  const body = { name, ...(id !== undefined && { id }), ...(await named(options)) };
  const made = await (await openApi(options)).createConsortium({ body });
  print(options.json, made, [
    `${made.id} is there, and you lead it. \`muster consortium invite ${made.id} SITE\` invites a site.`,
  ]);
}

async function edit(consortiumId: string, options: EditOptions): Promise<void> {
  const { name, archive, unarchive, json } = options;
  if (archive && unarchive) throw new UsageError('--archive and --unarchive are opposites.');
  const body = {
    ...(name !== undefined && { name }),
    ...(await named(options)),
    ...((archive ?? unarchive) && { archived: archive === true }),
  };
  if (Object.keys(body).length === 0)
    throw new UsageError('Name what is to be changed: `muster consortium edit --help` says what can be.');
  const { api, tagOf } = await openApiWithTags(options);
  const path = { consortiumId };
  await api.getConsortium({ path });
  const tag = tagOf(`/api/consortia/${encodeURIComponent(consortiumId)}`);
  const headers = { ...(tag !== undefined && { 'if-match': tag }) };
  try {
    const after = await api.changeConsortium({ path, headers, body });
    print(json, after, describeConsortium(after));
  } catch (error) {
    if (!isProblem(error, 'changed-meanwhile')) throw error;
    throw new Error(
      `Somebody else changed ${consortiumId} meanwhile, so nothing was done: look at it (\`muster consortium show ${consortiumId}\`), and edit it once more.`,
    );
  }
}

async function inviteSite(
  consortiumId: string,
  siteId: string,
  { name, json, ...where }: Where & { name?: string },
): Promise<void> {
  const body = { siteId, ...(name !== undefined && { name }) };
  const after = await (await openApi(where)).inviteSite({ path: { consortiumId }, body });
  print(json, after, [`${siteId} is invited: its administrators answer.`]);
}

async function removeSite(consortiumId: string, siteId: string, { json, ...where }: Where): Promise<void> {
  const after = await (await openApi(where)).removeSite({ path: { consortiumId, siteId } });
  print(json, after, [`${siteId} has no part in ${consortiumId} any more.`]);
}

async function changes(
  consortiumId: string,
  { limit, json, ...where }: Where & { limit: string },
): Promise<void> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) throw new UsageError(`--limit ${limit} is not a number.`);
  const answer = await (await openApi(where)).listChanges({ path: { consortiumId }, query: { limit: most } });
  const rows = answer.changes.map(({ at, by, says }) => [moment(at), plain(by), plain(says)]);
  print(json, answer, rows.length === 0 ? ['Nothing.'] : table(rows));
}
