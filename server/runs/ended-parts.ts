/**
 * A site's part in a run that was terminated alone, in Temporal's Web UI, cannot tell the run of its end, and the run would
 * wait for the node until its deadline. Its worker finds out, for it asks about what it holds; the run is told then.
 */
import { and, eq, notInArray } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import {
  EDGE_RUN_WORKFLOW,
  RUN_WORKFLOW,
  TERMINAL_NODE_STATES,
  edgeRunWorkflowId,
  type NodeState,
} from '../../workflows/contract';
import type { Database } from '../db/client';
import { nodes } from '../db/schema';
import type { Launch } from './launches';
import type { Runs } from './temporal';

/** A part that ended in order has told the run, and the run the API, before this time is up. */
const CONFIRM_AFTER_MS = 10_000;
const MAX_REMEMBERED = 10_000;

export interface EndedParts {
  /** The part of an open run was found closed. Returns at once: it is looked at again before anyone is told. */
  found(part: Launch): void;
  /** Drops what is not confirmed yet. */
  close(): void;
}

export function createEndedParts(deps: {
  db: Database;
  temporal: Pick<Runs, 'isOpen' | 'signalError'>;
  log: FastifyBaseLogger;
}): EndedParts {
  const { db, temporal, log } = deps;
  /** Parts that are to be looked at again, or of which the run was told. */
  const known = new Map<string, NodeJS.Timeout>();

  /** The state of the node in which the part has left it; `undefined` where the run knows how it ended. */
  async function leftIn({ runId, launchId, node }: Launch): Promise<NodeState | undefined> {
    const [row] = await db
      .select({ state: nodes.state })
      .from(nodes)
      .where(
        and(
          ...[eq(nodes.runId, runId), eq(nodes.node, node), eq(nodes.launchId, launchId)],
          notInArray(nodes.state, [...TERMINAL_NODE_STATES]),
        ),
      );
    return row?.state;
  }

  /** Answers whether the run was told. */
  async function confirm(part: Launch): Promise<boolean> {
    const { runId, launchId, node } = part;
    const [state, runIsOpen, partIsOpen] = await Promise.all([
      leftIn(part),
      temporal.isOpen(runId, RUN_WORKFLOW),
      temporal.isOpen(edgeRunWorkflowId(runId, node), EDGE_RUN_WORKFLOW),
    ]);
    if (state === undefined || runIsOpen !== true || partIsOpen !== false) return false;
    const message = `The part of the run at ${node} was ended in Temporal; its node is stopped.`;
    const error = { node, phase: state, type: 'NodeLost', message };
    return temporal.signalError(runId, { launchId, state: 'lost', error });
  }

  async function look(key: string, part: Launch): Promise<void> {
    const told = await confirm(part).catch((err: unknown) => {
      log.warn({ err, ...part }, 'a run was not told that its part at a site was ended');
      return false;
    });
    // It is found once more if there is still something of it.
    if (!told) known.delete(key);
  }

  return {
    found(part) {
      const key = `${part.runId}/${part.launchId}/${part.node}`;
      if (known.has(key)) return;
      const [oldest] = known.keys();
      if (known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
      known.set(
        key,
        setTimeout(() => void look(key, part), CONFIRM_AFTER_MS),
      );
    },
    close() {
      for (const timer of known.values()) clearTimeout(timer);
    },
  };
}
