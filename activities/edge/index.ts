/** The edge worker's activities: all that a run may ask of a site. */
import {
  FetchInput,
  LaunchEdgeInput,
  LaunchRef,
  StopNodeInput,
  SuperviseInput,
  type EdgeActivities,
} from '../../workflows/contract';
import { NodeLogs } from '../shared/node-logs';
import { createReleaseLaunch } from '../shared/release-launch';
import { createStopNode } from '../shared/stop-node';
import { createSuperviseNode } from '../shared/supervise-node';
import type { EdgeHost } from './edge-host';
import { createFetchRunKit } from './fetch-run-kit';
import { createLaunchEdgeNode } from './launch-edge-node';

export type { EdgeHost } from './edge-host';

/** For the site's own queue. */
export function createEdgeActivities(host: EdgeHost): EdgeActivities {
  const logs = new NodeLogs(host);
  return {
    fetchRunKit: createFetchRunKit(host),
    launchEdgeNode: createLaunchEdgeNode(host),
    superviseNode: createSuperviseNode(host, logs),
    stopNode: createStopNode(host),
    releaseLaunch: createReleaseLaunch(host, logs, [host.siteId]),
  };
}

/** Schemas of all inputs above, for the worker to check: to a site they come from outside. */
export const EDGE_INPUTS = {
  fetchRunKit: FetchInput,
  launchEdgeNode: LaunchEdgeInput,
  superviseNode: SuperviseInput,
  stopNode: StopNodeInput,
  releaseLaunch: LaunchRef,
} satisfies Record<keyof EdgeActivities, unknown>;
