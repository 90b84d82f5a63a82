/**
 * Tells runs that a site of theirs is away, and that it is back, so that a site that was lost is told apart from one that
 * failed. What a launch was told stands in the row of the node: it is told once, whichever replica does it, and an API
 * that was restarted goes on from there.
 */
import { and, eq, inArray, isNotNull, notInArray, sql } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type NodeError,
  type NodeView,
} from '../../workflows/contract';
import type { Database } from '../db/client';
import { nodes, runs } from '../db/schema';
import { HttpProblem } from '../problem';
import type { Heard, Presence } from '../sites/presence';
import type { Runs } from './temporal';

const LOOK_EVERY_MS = 5_000;
/** Who has not looked for so long did not run, and so heard nothing either. */
const LATE_MS = 15_000;

export interface PresenceWatch {
  /** Looks at once, and again and again until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks once. */
  look(): Promise<void>;
}

interface OpenNode {
  runId: string;
  node: string;
  launchId: string | null;
  toldAway: string | null;
  view: NodeView;
}

export function createPresenceWatch(deps: {
  db: Database;
  temporal: Pick<Runs, 'signalStatus'>;
  presence: Presence;
  log: FastifyBaseLogger;
}): PresenceWatch {
  const { db, temporal, presence, log } = deps;
  const columns = {
    ...{ runId: nodes.runId, node: nodes.node, launchId: nodes.launchId },
    ...{ toldAway: nodes.toldAway, view: nodes.view },
  };
  const open = and(
    notInArray(nodes.state, [...TERMINAL_NODE_STATES]),
    notInArray(runs.state, [...TERMINAL_RUN_STATES]),
    isNotNull(nodes.launchId),
  );
  const openNodes = (which: ReturnType<typeof and>): Promise<OpenNode[]> =>
    db.select(columns).from(nodes).innerJoin(runs, eq(runs.runId, nodes.runId)).where(and(open, which));

  /** Whether this process is the one to tell: the row says from now on that it was done. */
  async function claim({ runId, node, launchId }: OpenNode, from: string | null, to: string | null) {
    const claimed = await db
      .update(nodes)
      .set({ toldAway: to })
      .where(
        and(
          ...[eq(nodes.runId, runId), eq(nodes.node, node), eq(nodes.launchId, launchId ?? '')],
          sql`${nodes.toldAway} is not distinct from ${from}`,
        ),
      )
      .returning({ node: nodes.node });
    return claimed.length > 0;
  }

  /** Tells one run; if Temporal does not answer, it is left to the next look. */
  async function tell(known: OpenNode, isAway: boolean, attention: NodeError | null): Promise<void> {
    const { runId, node, launchId, toldAway } = known;
    const to = isAway ? launchId : null;
    if (launchId === null || !(await claim(known, toldAway, to))) return;
    try {
      await temporal.signalStatus(runId, { launchId, node, attention });
    } catch (error) {
      if (!isRefusal(error)) {
        await claim(known, to, toldAway);
        throw error;
      }
      log.warn({ err: error, runId, node }, 'a run takes no word of whether its site is there');
    }
  }

  async function look(): Promise<void> {
    const heard = await presence.sites();
    const away = new Map(heard.filter((site) => site.presence === 'away').map((site) => [site.siteId, site]));
    const here = new Set(heard.filter((site) => site.presence === 'here').map(({ siteId }) => siteId));
    for (const known of await openNodes(eq(nodes.toldAway, nodes.launchId)))
      if (here.has(known.node)) await tellBack(known);
    if (away.size === 0) return;
    const untold = sql`${nodes.toldAway} is distinct from ${nodes.launchId}`;
    for (const known of await openNodes(and(untold, inArray(nodes.node, [...away.keys()])))) {
      const site = away.get(known.node);
      if (site) await tell(known, true, siteAway(site, known.view));
    }
  }

  /** What else calls for attention at the site by now is not settled by its being there. */
  async function tellBack(known: OpenNode): Promise<void> {
    const { attention } = known.view;
    if (attention === undefined || attention.type === 'SiteAway') await tell(known, false, null);
    else await claim(known, known.toldAway, null);
  }

  return {
    look,
    async run(signal) {
      let looked = Date.now();
      while (!signal.aborted) {
        if (Date.now() - looked > LATE_MS) presence.wasDeaf();
        looked = Date.now();
        await look().catch((err: unknown) => {
          if (!signal.aborted) log.warn({ err }, 'cannot tell runs which of their sites are there');
        });
        await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
  };
}

const isRefusal = (error: unknown) =>
  error instanceof HttpProblem && error.body.type === 'urn:muster:problem:temporal-refused';

function siteAway({ siteId, seenAt }: Heard, { state }: NodeView): NodeError {
  const may = state === 'waiting' ? 'The' : 'Its node may go on running; the';
  const since = new Date(seenAt).toISOString();
  const message = `The edge worker of ${siteId} has not been heard of since ${since}. ${may} run waits for it.`;
  return { node: siteId, phase: state, type: 'SiteAway', message };
}
