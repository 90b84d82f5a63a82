/**
 * Whether a launch that a worker holds something of is still wanted. Temporal decides, not the projection: a run that was
 * terminated cannot report that it has ended, and one that was reset is at work although its row says that it is not.
 * What cannot be known is `unknown`, and a worker then leaves everything as it is.
 */
import type { LaunchLiveness } from '../../workflows/api-contract';
import { EDGE_RUN_WORKFLOW, RUN_WORKFLOW, edgeRunWorkflowId, type LaunchRef } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { Database } from '../db/client';
import type { EndedParts } from './ended-parts';
import { lookUpNode, lookUpRun } from './find-run';
import type { Runs } from './temporal';

export interface Liveness {
  /** As it concerns the run's central host. */
  atCentralHost(launch: LaunchRef): Promise<LaunchLiveness>;
  /** As it concerns a site, which learns nothing of launches that it has no part in. */
  atSite(launch: LaunchRef, site: string): Promise<LaunchLiveness>;
}

export function createLiveness(deps: {
  db: Database;
  temporal: Runs;
  endedParts: Pick<EndedParts, 'found'>;
}): Liveness {
  const { db, temporal, endedParts } = deps;
  return {
    async atCentralHost({ runId, launchId }) {
      const [row, open] = await Promise.all([lookUpRun(db, runId), temporal.isOpen(runId, RUN_WORKFLOW)]);
      if (open === false) return 'over';
      // Temporal forgets runs some days after they ended. What it never knew of could be another namespace's.
      if (open === undefined) return row && isTerminalRun(row.state) ? 'over' : 'unknown';
      if (row?.launchId === launchId) return 'live';
      // The row may be behind: only the run itself knows its current launch.
      const current = await temporal.currentLaunch(runId);
      if (current === undefined) return 'unknown';
      return current === launchId ? 'live' : 'over';
    },

    async atSite({ runId, launchId }, site) {
      const [row, node, runIsOpen, partIsOpen] = await Promise.all([
        lookUpRun(db, runId),
        lookUpNode(db, runId, site),
        temporal.isOpen(runId, RUN_WORKFLOW),
        temporal.isOpen(edgeRunWorkflowId(runId, site), EDGE_RUN_WORKFLOW),
      ]);
      if (node === undefined && partIsOpen === undefined) return 'unknown';
      if (runIsOpen === true && partIsOpen === false) endedParts.found({ runId, launchId, node: site });
      // Nothing is at a site before its part of the run was opened, so a part that is not there has been closed.
      if (runIsOpen === true) return partIsOpen === true ? 'live' : 'over';
      if (runIsOpen === false) return 'over';
      return row && isTerminalRun(row.state) ? 'over' : 'unknown';
    },
  };
}
