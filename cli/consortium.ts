/** `muster consortium`: who belongs together, what they compute, and who of them may do what. */
import { Argument, type Command } from 'commander';
import type { MusterApi } from '../client';
import type { GetConsortiumResponses } from '../client/generated/types.gen';
import { CONSORTIUM_ROLES, type ConsortiumRole } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { day, JSON_OPTION, print, type JsonOption } from './output';
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
    .option(...JSON_OPTION)
    .action(list);
  withApiOptions(consortium.command('show <consortium>'))
    .description('show its sites, its computation and its parameters')
    .option(...JSON_OPTION)
    .action(show);
  registerPeople(consortium);
}

function registerPeople(consortium: Command): void {
  const people = consortium.command('people').description('who may do what in a consortium');
  withApiOptions(people.command('ls <consortium>'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(listPeople);
  examples(
    withApiOptions(people.command('set <consortium> <person>'))
      .description('let somebody of it do more, or less')
      .addArgument(
        new Argument('<role>', 'viewer: look; member: also logs and results; lead: everything').choices(
          CONSORTIUM_ROLES,
        ),
      )
      .action(setRole),
    ['muster consortium people set penguins ada@example.org lead'],
  );
  withApiOptions(people.command('rm <consortium> <person>'))
    .description('take somebody out of it')
    .action(removePerson);
}

async function list({ json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listConsortia();
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

async function listPeople(consortiumId: string, { json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listConsortiumPeople({ path: { consortiumId } });
  const rows = answer.people.map(({ id, email, name, role }) => [role, plain(email), plain(name), id]);
  print(json, answer, rows.length === 0 ? ['Nobody.'] : table([['ROLE', 'E-MAIL', 'NAME', 'ID'], ...rows]));
}

async function setRole(
  consortiumId: string,
  person: string,
  role: ConsortiumRole,
  where: ApiOptions,
): Promise<void> {
  const api = await openApi(where);
  const personId = await findMember(api, consortiumId, person);
  await api.setConsortiumRole({ path: { consortiumId, personId }, body: { role } });
  process.stdout.write(`${person} is ${role} of ${consortiumId}.\n`);
}

async function removePerson(consortiumId: string, person: string, where: ApiOptions): Promise<void> {
  const api = await openApi(where);
  const personId = await findMember(api, consortiumId, person);
  await api.removeConsortiumPerson({ path: { consortiumId, personId } });
  process.stdout.write(`${person} has no part in ${consortiumId} any more.\n`);
}

/**
 * The id of somebody in the consortium, by e-mail address or id.
 * @throws UsageError
 */
async function findMember(
  api: Pick<MusterApi, 'listConsortiumPeople'>,
  consortiumId: string,
  person: string,
): Promise<string> {
  const { people } = await api.listConsortiumPeople({ path: { consortiumId } });
  const found = people.find(({ id, email }) => id === person || email === person.toLowerCase());
  if (found !== undefined) return found.id;
  throw new UsageError(
    `${person} has no part in ${consortiumId}: \`muster invite ${person} --consortium ${consortiumId}=ROLE\` invites them.`,
  );
}
