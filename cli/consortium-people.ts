/** `muster consortium people`: who may do what in a consortium. */
import { Argument, type Command } from 'commander';
import type { MusterApi } from '../client';
import { CONSORTIUM_ROLES, type ConsortiumRole } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { isMeantBy } from './find-person';
import { examples } from './help';
import { JSON_OPTION, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

type Where = ApiOptions & JsonOption;

/** Adds the commands to `muster consortium`. */
export function registerConsortiumPeople(consortium: Command): void {
  const people = consortium.command('people').description('who may do what in a consortium');
  withApiOptions(people.command('ls <consortium>'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(list);
  examples(
    withApiOptions(people.command('set <consortium> <person>'))
      .description('let somebody of it do more, or less')
      .addArgument(
        new Argument('<role>', 'viewer: look; member: also logs and results; lead: everything').choices(
          CONSORTIUM_ROLES,
        ),
      )
      .option(...JSON_OPTION)
      .action(set),
    ['muster consortium people set penguins ada@example.org lead'],
  );
  withApiOptions(people.command('rm <consortium> <person>'))
    .description('take somebody out of it')
    .option(...JSON_OPTION)
    .action(remove);
}

async function list(consortiumId: string, { json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listConsortiumPeople({ path: { consortiumId } });
  const rows = answer.people.map(({ id, email, name, role }) => [role, plain(email), plain(name), id]);
  print(json, answer, rows.length === 0 ? ['Nobody.'] : table([['ROLE', 'E-MAIL', 'NAME', 'ID'], ...rows]));
}

async function set(
  consortiumId: string,
  person: string,
  role: ConsortiumRole,
  { json, ...where }: Where,
): Promise<void> {
  const api = await openApi(where);
  const personId = await findMember(api, consortiumId, person);
  await api.setConsortiumRole({ path: { consortiumId, personId }, body: { role } });
  printDone(json, `${person} is ${role} of ${consortiumId}.`);
}

async function remove(consortiumId: string, person: string, { json, ...where }: Where): Promise<void> {
  const api = await openApi(where);
  const personId = await findMember(api, consortiumId, person);
  await api.removeConsortiumPerson({ path: { consortiumId, personId } });
  printDone(json, `${person} has no part in ${consortiumId} any more.`);
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
  const found = people.find(isMeantBy(person));
  if (found !== undefined) return found.id;
  throw new UsageError(
    `${person} has no part in ${consortiumId}: \`muster invite ${person} --consortium ${consortiumId}=ROLE\` invites them.`,
  );
}
