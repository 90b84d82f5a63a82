/** What people want to be told by mail: of the runs of their consortia, and of those that their sites take part in. */
import { and, eq, exists, isNull, or, sql } from 'drizzle-orm';
import type { NoticeEvent } from '../../workflows/notice-contract';
import type { Database } from '../db/client';
import { consortiumPeople, nodes, people, personNotices, sitePeople } from '../db/schema';
import type { Occasion } from './occasions';

export interface PeopleNotices {
  get(personId: string): Promise<NoticeEvent[]>;
  put(personId: string, on: NoticeEvent[]): Promise<void>;
}

export function createPeopleNotices(db: Database): PeopleNotices {
  return {
    async get(personId) {
      const [row] = await db.select().from(personNotices).where(eq(personNotices.personId, personId));
      return row?.on ?? [];
    },
    async put(personId, on) {
      await db
        .insert(personNotices)
        .values({ personId, on })
        .onConflictDoUpdate({ target: personNotices.personId, set: { on } });
    },
  };
}

/** The people who want to be told of it, and may know. */
export async function peopleToTell(
  tx: Database,
  { event, runId, consortium }: Pick<Occasion, 'event' | 'runId' | 'consortium'>,
): Promise<string[]> {
  const one = { one: sql`1` };
  const ofConsortium = tx
    .select(one)
    .from(consortiumPeople)
    .where(and(eq(consortiumPeople.personId, people.id), eq(consortiumPeople.consortiumId, consortium.id)));
  const ofSite = tx
    .select(one)
    .from(sitePeople)
    .innerJoin(nodes, and(eq(nodes.runId, runId), eq(nodes.node, sitePeople.siteId)))
    .where(eq(sitePeople.personId, people.id));
  const rows = await tx
    .select({ id: people.id, on: personNotices.on })
    .from(personNotices)
    .innerJoin(people, eq(people.id, personNotices.personId))
    .where(and(isNull(people.disabledAt), or(exists(ofConsortium), exists(ofSite))));
  return rows.filter(({ on }) => on.includes(event)).map(({ id }) => id);
}
