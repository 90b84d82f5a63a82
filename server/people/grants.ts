/** People as access decides about them: the account with all that it was granted. */
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { ConsortiumRole } from '../../workflows/people-contract';
import type { Person } from '../access';
import { consortiumPeople, people, sitePeople } from '../db/schema';

const Consortia = z.record(z.string(), ConsortiumRole);
const Sites = z.array(z.string());

/** What {@link asPerson} needs of a row of people, read in the same query as whatever leads to it. */
export const personColumns = {
  id: people.id,
  name: people.name,
  email: people.email,
  admin: people.admin,
  disabledAt: people.disabledAt,
  mustChangePassword: people.mustChangePassword,
  consortia: sql`(select coalesce(json_object_agg(${consortiumPeople.consortiumId}, ${consortiumPeople.role}), '{}') from ${consortiumPeople} where ${eq(consortiumPeople.personId, people.id)})`,
  sites: sql`(select coalesce(json_agg(${sitePeople.siteId} order by ${sitePeople.siteId}), '[]') from ${sitePeople} where ${eq(sitePeople.personId, people.id)})`,
};

interface PersonRow {
  id: string;
  email: string;
  admin: boolean;
  mustChangePassword: boolean;
  consortia: unknown;
  sites: unknown;
}

/** The person of a row that was read by {@link personColumns}. */
export function asPerson(row: PersonRow, shown: Pick<Person, 'via' | 'scope' | 'sessionId'>): Person {
  return {
    role: 'person',
    ...{ id: row.id, sub: row.email, admin: row.admin },
    ...{ consortia: Consortia.parse(row.consortia), sites: Sites.parse(row.sites) },
    ...(row.mustChangePassword && { mustChangePassword: true }),
    ...shown,
  };
}
