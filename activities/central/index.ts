/** The central worker's activities: those that any central worker may do, and those of one host. */
import type { Client } from '@temporalio/client';
import {
  CENTRAL_NODE,
  HandOnInput,
  LaunchCentralInput,
  LaunchRef,
  NodeRef,
  PROVISION_NODE,
  ProvisionInput,
  PublishInput,
  ResolveImageInput,
  SignalEdgesInput,
  StartedReport,
  StatusReport,
  StopNodeInput,
  SuperviseInput,
  TakeOverInput,
  type CentralActivities,
  type HostActivities,
} from '../../workflows/contract';
import { NodeLogs } from '../shared/node-logs';
import { createReleaseLaunch } from '../shared/release-launch';
import { createStopNode } from '../shared/stop-node';
import { createSuperviseNode } from '../shared/supervise-node';
import type { CentralHost } from './central-host';
import { createCollectResults } from './collect-results';
import { createHandOnKits } from './hand-on-kits';
import { createLaunchCentralNode } from './launch-central-node';
import { createProvisionProject } from './provision-project';
import { createPublishRunKits } from './publish-run-kits';
import { removeKits } from './published-kits';
import { createReportRunStartedCentral } from './report-run-started-central';
import { createReportStatusCentral } from './report-status-central';
import { createResolveImage } from './resolve-image';
import { createSignalEdgeClients } from './signal-edge-clients';
import { createTakeOverLaunch } from './take-over-launch';

export type { CentralHost } from './central-host';

/** For the queue that all central workers share; `own` are those of this host. */
export function createCentralActivities(
  host: CentralHost,
  own: HostActivities,
  temporal: Client,
): CentralActivities {
  return {
    provisionProject: createProvisionProject(host, own),
    reportRunStartedCentral: createReportRunStartedCentral(host.api),
    reportStatusCentral: createReportStatusCentral(host.api),
    signalEdgeClients: createSignalEdgeClients(temporal),
    resolveImage: createResolveImage(host.images),
  };
}

/** For this host's own queue. */
export function createHostActivities(host: CentralHost): HostActivities {
  const logs = new NodeLogs(host);
  const stopNode = createStopNode(host);
  const releaseLaunch = createReleaseLaunch(host, logs, [CENTRAL_NODE, PROVISION_NODE], async (ref) => {
    await host.ports.release(ref);
    await removeKits(host, ref);
  });
  return {
    publishRunKits: createPublishRunKits(host),
    takeOverLaunch: createTakeOverLaunch(host, { stopNode, releaseLaunch }),
    handOnKits: createHandOnKits(host),
    launchCentralNode: createLaunchCentralNode(host),
    superviseNode: createSuperviseNode(host, logs),
    stopNode,
    collectResults: createCollectResults(host),
    releaseLaunch,
  };
}

/** Schemas of all inputs above, for the worker to check. */
export const CENTRAL_INPUTS = {
  provisionProject: ProvisionInput,
  reportRunStartedCentral: StartedReport,
  reportStatusCentral: StatusReport,
  signalEdgeClients: SignalEdgesInput,
  resolveImage: ResolveImageInput,
  publishRunKits: PublishInput,
  takeOverLaunch: TakeOverInput,
  handOnKits: HandOnInput,
  launchCentralNode: LaunchCentralInput,
  superviseNode: SuperviseInput,
  stopNode: StopNodeInput,
  collectResults: NodeRef,
  releaseLaunch: LaunchRef,
} satisfies Record<keyof CentralActivities | keyof HostActivities, unknown>;

/** Calls to the central API itself: their failures cannot be reported to it. */
export const CENTRAL_SILENT: readonly (keyof CentralActivities)[] = [
  'reportRunStartedCentral',
  'reportStatusCentral',
];
