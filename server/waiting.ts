/** What waits for people: nodes of runs under way that somebody has to do something for, and sites that are invited. */
import { and, asc, eq, inArray, isNull, notInArray, or, sql } from 'drizzle-orm';
import type { WaitingItem } from '../workflows/changes-contract';
import { TERMINAL_NODE_STATES, TERMINAL_RUN_STATES } from '../workflows/contract';
import { FAILURES, isFailureType, turnOf, type Turn } from '../workflows/errors';
import { holds, type Person } from './access';
import type { Database } from './db/client';
import { consortia, memberships, nodes, runs } from './db/schema';
import { visibleRuns } from './people/destinations';

const MOST = 500;

/** What waits in what the person may see, what is for them to do first. */
export async function listWaiting(db: Database, person: Person): Promise<WaitingItem[]> {
  const [open, stuck] = await Promise.all([listInvitations(db, person), listNodes(db, person)]);
  return [...open, ...stuck].sort((a, b) => Number(b.mine) - Number(a.mine));
}

/** The sites that have not answered yet, as far as the person may know of them. */
async function listInvitations(db: Database, person: Person): Promise<WaitingItem[]> {
  const { consortiumId, siteId, invitedBy, invitedAt } = memberships;
  const visible = or(
    inArray(consortiumId, Object.keys(person.consortia)),
    inArray(siteId, [...person.sites]),
  );
  const rows = await db
    .select({ ...{ consortiumId, siteId, invitedBy, invitedAt }, body: consortia.body })
    .from(memberships)
    .innerJoin(consortia, eq(consortia.id, consortiumId))
    .where(
      and(eq(memberships.state, 'invited'), isNull(consortia.archivedAt), person.admin ? undefined : visible),
    )
    .orderBy(asc(invitedAt), asc(consortiumId), asc(siteId))
    .limit(MOST);
  return rows.map(({ body: { name }, ...row }) => ({
    kind: 'invitation',
    ...row,
    message: `${name} has invited the site ${row.siteId}.`,
    advice: 'Accept with the name that the site has for the data, or decline.',
    turn: "the site's administrator",
    mine: person.sites.includes(row.siteId),
  }));
}

/** What waits in the runs that the person may see. */
async function listNodes(db: Database, person: Person): Promise<WaitingItem[]> {
  const rows = await db
    .select({ runId: nodes.runId, consortiumId: runs.consortiumId, view: nodes.view })
    .from(nodes)
    .innerJoin(runs, eq(runs.runId, nodes.runId))
    .where(
      and(
        notInArray(nodes.state, [...TERMINAL_NODE_STATES]),
        notInArray(runs.state, [...TERMINAL_RUN_STATES]),
        // Read from the text, for Postgres takes no document apart that holds a NUL.
        sql`strpos(${nodes.view}::text, '"attention":') > 0`,
        visibleRuns(db, person),
      ),
    )
    .orderBy(asc(runs.startedAt), asc(nodes.position))
    .limit(MOST);
  return rows.flatMap(({ runId, consortiumId, view: { node, attention } }): WaitingItem[] => {
    if (attention === undefined) return [];
    const { type, message } = attention;
    const kind = FAILURES[isFailureType(type) ? type : 'Internal'];
    const mine = isTurnOf(person, kind.turn, { consortiumId, node });
    return [
      {
        kind: 'node',
        consortiumId,
        runId,
        node,
        type,
        message,
        advice: kind.advice,
        turn: turnOf(type),
        mine,
      },
    ];
  });
}

function isTurnOf(
  person: Person,
  turn: Turn,
  { consortiumId, node }: { consortiumId: string; node: string },
): boolean {
  switch (turn) {
    case 'site':
      return person.sites.includes(node);
    case 'host':
      return person.sites.includes(node) || person.admin;
    case 'lead':
    case 'author':
      return holds(person, consortiumId, 'lead');
    case 'operator':
      return person.admin;
  }
}
