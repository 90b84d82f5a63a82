/** What has changed since the last look, as the database says it: so changes by other replicas of the API come in too. */
import { isDeepStrictEqual } from 'node:util';
import { and, asc, gt, inArray, isNotNull, max, or } from 'drizzle-orm';
import type { SiteView } from '../../workflows/api-contract';
import { NodeView } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { Database } from '../db/client';
import { audit, eventColumns, events, nodes, noticeDeliveries, siteReadiness } from '../db/schema';
import type { Destinations } from '../people/destinations';
import { runsOf, summaryOf } from '../runs/list';
import type { Presence } from '../sites/presence';
import type { Told } from './audience';
import { LATE_MS, openTail } from './tail';

const BATCH = 2_000;

export interface Sources {
  /** Of runs, of what people did, and of what became of notices. */
  look(): Promise<Told[]>;
  /** Which sites came or went. */
  lookAtSites(): Promise<Told[]>;
}

interface Deps {
  db: Database;
  presence: Pick<Presence, 'sites'>;
  destinations: Pick<Destinations, 'consortiaOf'>;
}

/** Looks from now on. */
export async function openSources({ db, presence, destinations }: Deps): Promise<Sources> {
  const runEvents = await openTail({
    newest: async () => (await db.select({ id: max(events.id) }).from(events))[0]?.id ?? 0,
    read: (after, ids) =>
      db
        .select(eventColumns)
        .from(events)
        .where(or(gt(events.id, after), inArray(events.id, [...ids])))
        .orderBy(asc(events.id))
        .limit(BATCH),
  });
  const deeds = await openTail({
    newest: async () => (await db.select({ id: max(audit.id) }).from(audit))[0]?.id ?? 0,
    read: (after, ids) =>
      db
        .select({ id: audit.id, consortiumId: audit.consortiumId, siteId: audit.siteId, runId: audit.runId })
        .from(audit)
        .where(or(gt(audit.id, after), inArray(audit.id, [...ids])))
        .orderBy(asc(audit.id))
        .limit(BATCH),
  });
  /** Of each site whether it is there, and when it said last whether it is ready. */
  const presences = async () => {
    const [heard, told] = await Promise.all([
      presence.sites(),
      db.select({ siteId: siteReadiness.siteId, at: siteReadiness.at }).from(siteReadiness),
    ]);
    const said = new Map(told.map(({ siteId, at }) => [siteId, at]));
    return new Map(
      heard.map(({ siteId, presence: is }): [string, { is: SiteView['presence']; said: number }] => [
        siteId,
        { is, said: said.get(siteId) ?? 0 },
      ]),
    );
  };
  let present = await presences();
  /** The latest tries at deliveries that are known of: the try of each, as text. */
  let tries = new Map<string, string>();
  let triedLast = (await db.select({ at: max(noticeDeliveries.triedAt) }).from(noticeDeliveries))[0]?.at ?? 0;
  await ofDeliveries();
  /** What each node of a run waits for, by run and node. */
  const waits = new Map<string, Map<string, string>>();

  async function ofRuns(): Promise<Told[]> {
    const rows = await runEvents.take();
    const stands = new Set(
      rows.flatMap(({ type, runId }) => (type === 'run' || type === 'CentralClientStartRun' ? [runId] : [])),
    );
    const waiting = new Set(
      rows.filter((row) => row.type === 'node' && waitsOtherwise(row)).map(({ runId }) => runId),
    );
    const ids = [...new Set([...stands, ...waiting])];
    const [known, sites] = await Promise.all([runsOf(db, ids), sitesOf(ids)]);
    return known.flatMap((run) => {
      const { runId, consortiumId } = run;
      const to = { consortia: [consortiumId], sites: sites.get(runId) ?? [] };
      // What a run waited for is settled when it has ended.
      const settled = isTerminalRun(run.state) && waits.delete(runId);
      return [
        ...(stands.has(runId) ? [{ change: { type: 'run' as const, run: summaryOf(run) }, ...to }] : []),
        ...(waiting.has(runId) || settled ? [{ change: { type: 'waiting' as const }, ...to }] : []),
      ];
    });
  }

  /** Whether a node waits for something else than before. */
  function waitsOtherwise({ runId, data }: { runId: string; data: unknown }): boolean {
    const view = NodeView.safeParse(data).data;
    if (view === undefined) return false;
    const ofRun = waits.get(runId) ?? new Map<string, string>();
    const now = view.attention && `${view.attention.type} ${view.attention.message}`;
    if (ofRun.get(view.node) === now) return false;
    if (now === undefined) ofRun.delete(view.node);
    else ofRun.set(view.node, now);
    waits.set(runId, ofRun);
    return true;
  }

  async function sitesOf(ids: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    if (ids.length === 0) return found;
    const rows = await db
      .select({ runId: nodes.runId, node: nodes.node })
      .from(nodes)
      .where(inArray(nodes.runId, [...ids]));
    for (const { runId, node } of rows) found.set(runId, [...(found.get(runId) ?? []), node]);
    return found;
  }

  async function ofPeople(): Promise<Told[]> {
    const told: Told[] = [];
    for (const { consortiumId, siteId, runId } of await deeds.take()) {
      const sites = siteId === null ? [] : [siteId];
      // What is done to a run is told by what the run says of it.
      if (runId !== null) {
        if (siteId !== null) told.push({ change: { type: 'site', siteId }, ...(await ofSite(siteId)) });
        continue;
      }
      if (consortiumId !== null)
        told.push({ change: { type: 'consortium', consortiumId }, consortia: [consortiumId], sites });
      if (siteId !== null) told.push({ change: { type: 'site', siteId }, ...(await ofSite(siteId)) });
      // A site that is invited has something to answer.
      if (consortiumId !== null && siteId !== null)
        told.push({ change: { type: 'waiting' }, consortia: [consortiumId], sites });
    }
    return told;
  }

  /** Consortia of whose notices one was tried. */
  async function ofDeliveries(): Promise<Told[]> {
    const { id, consortiumId, triedAt, attempts, state, noticeId } = noticeDeliveries;
    const rows = await db
      .select({ id, consortiumId, triedAt, attempts, state })
      .from(noticeDeliveries)
      .where(and(gt(triedAt, triedLast - LATE_MS), isNotNull(noticeId)))
      .orderBy(asc(triedAt))
      .limit(BATCH);
    const before = tries;
    tries = new Map(rows.map((row) => [row.id, `${row.attempts} ${row.state}`]));
    triedLast = rows.at(-1)?.triedAt ?? triedLast;
    const news = rows.filter((row) => before.get(row.id) !== tries.get(row.id));
    return [...new Set(news.map((row) => row.consortiumId))].map((consortium) => ({
      change: { type: 'consortium', consortiumId: consortium },
      consortia: [consortium],
      sites: [],
    }));
  }

  async function ofPresence(): Promise<Told[]> {
    const now = await presences();
    const changed = [...now].filter(([siteId, one]) => !isDeepStrictEqual(present.get(siteId), one));
    present = now;
    return Promise.all(
      changed.map(async ([siteId, { is }]) => ({
        change: { type: 'site' as const, siteId, presence: is },
        ...(await ofSite(siteId)),
      })),
    );
  }

  const ofSite = async (siteId: string) => ({
    consortia: await destinations.consortiaOf([siteId]),
    sites: [siteId],
  });

  return {
    look: async () => [...(await ofRuns()), ...(await ofPeople()), ...(await ofDeliveries())],
    lookAtSites: ofPresence,
  };
}
