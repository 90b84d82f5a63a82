/** `muster site people`: who administers a site. */
import type { Command } from 'commander';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { findPersonId, isMeantBy } from './find-person';
import { examples } from './help';
import { JSON_OPTION, print, printDone, type JsonOption } from './output';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

type Where = ApiOptions & JsonOption;

/** Adds the commands to `muster site`. */
export function registerSitePeople(site: Command): void {
  const people = site.command('people').description('who administers a site');
  withApiOptions(people.command('ls <site>'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(list);
  examples(
    withApiOptions(people.command('add <site> <person>'))
      .description(
        'let somebody who has an account administer it, by their id, or for admins by their e-mail address',
      )
      .option(...JSON_OPTION)
      .action(add),
    ['muster site people add biscoe ada@example.org'],
  );
  withApiOptions(people.command('rm <site> <person>'))
    .description('let somebody administer it no longer')
    .option(...JSON_OPTION)
    .action(remove);
}

async function list(siteId: string, { json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listSitePeople({ path: { siteId } });
  const rows = answer.people.map(({ id, email, name }) => [plain(email), plain(name), id]);
  print(json, answer, rows.length === 0 ? ['Nobody.'] : table([['E-MAIL', 'NAME', 'ID'], ...rows]));
}

async function add(siteId: string, person: string, { json, ...where }: Where): Promise<void> {
  const api = await openApi(where);
  const invite = `\`muster invite ${person} --site ${siteId}\` makes a link for them.`;
  const personId = await findPersonId(api, person, invite);
  await api.addSitePerson({ path: { siteId, personId } });
  printDone(json, `${person} administers ${siteId}.`);
}

async function remove(siteId: string, person: string, { json, ...where }: Where): Promise<void> {
  const api = await openApi(where);
  const { people } = await api.listSitePeople({ path: { siteId } });
  const found = people.find(isMeantBy(person));
  if (found === undefined)
    throw new UsageError(
      `${person} does not administer ${siteId}; \`muster site people ls ${siteId}\` lists who does.`,
    );
  await api.removeSitePerson({ path: { siteId, personId: found.id } });
  printDone(json, `${person} no longer administers ${siteId}.`);
}
