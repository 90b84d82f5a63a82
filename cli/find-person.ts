/** Finds the one who is meant, among all who have an account. */
import { ApiProblem, type MusterApi } from '../client';
import type { PersonView } from '../workflows/people-contract';
import { UsageError } from './usage-error';

type Api = Pick<MusterApi, 'listPeople'>;
const PAGE = 200;

/** Everybody who has an account; for admins. */
export async function everybody(api: Api): Promise<PersonView[]> {
  const found: PersonView[] = [];
  let after: string | undefined;
  do {
    const page = await api.listPeople({ query: { limit: PAGE, ...(after !== undefined && { after }) } });
    found.push(...page.people);
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** Whether somebody is who was named, by e-mail address or id. */
export const isMeantBy =
  (person: string) =>
  ({ id, email }: { id: string; email: string }): boolean =>
    id === person || email === person.toLowerCase();

/**
 * Somebody by e-mail address or id.
 * @throws UsageError
 */
export async function findPerson(api: Api, person: string): Promise<PersonView> {
  const found = (await everybody(api)).find(isMeantBy(person));
  if (found !== undefined) return found;
  throw new UsageError(`Nobody has the address or id ${person}; \`muster people ls\` lists everybody.`);
}

/**
 * The id of somebody. Only admins may look addresses up.
 * @param otherwise what else one may do, as a sentence
 * @throws UsageError
 */
export async function findPersonId(api: Api, person: string, otherwise: string): Promise<string> {
  if (!person.includes('@')) return person;
  try {
    return (await findPerson(api, person)).id;
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 403) throw error;
    throw new UsageError(`Only an admin may look up who has the address ${person}. ${otherwise}`);
  }
}
