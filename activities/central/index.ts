/** The central worker's activities: those that any central worker may do, and those of one host. */
import type { Client } from '@temporalio/client';
import type { CentralApi } from '../../client/central-api';
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
import { DeliveryRef, GivenUp, type NoticeActivities } from '../../workflows/notice-delivery';
import { NodeLogs } from '../shared/node-logs';
import { createReleaseLaunch } from '../shared/release-launch';
import { createStopNode } from '../shared/stop-node';
import { createSuperviseNode } from '../shared/supervise-node';
import type { CentralHost } from './central-host';
import { createCollectResults } from './collect-results';
import { createDeliverWebhook } from './deliver-webhook';
import { createGiveUpNotice } from './give-up-notice';
import { createHandOnKits } from './hand-on-kits';
import { createLaunchCentralNode } from './launch-central-node';
import { createProvisionProject } from './provision-project';
import { createPublishRunKits } from './publish-run-kits';
import { removeKits } from './published-kits';
import { createReportRunStartedCentral } from './report-run-started-central';
import { createReportStatusCentral } from './report-status-central';
import { createResolveImage } from './resolve-image';
import { createSendEmail, type MailSettings } from './send-email';
import { createSignalEdgeClients } from './signal-edge-clients';
import { createTakeOverLaunch } from './take-over-launch';
import type { Network } from './webhook-address';

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

/** Telling people, and programs, of what happens to runs; for the queue that all central workers share. */
export function createNoticeActivities(deps: {
  api: Pick<CentralApi, 'getDeliveryOrder' | 'reportDelivery'>;
  /** Networks of one's own that webhooks may be in. */
  networks: readonly Network[];
  /** Absent where no mail can be sent from. */
  mail: MailSettings | undefined;
}): NoticeActivities {
  return {
    deliverWebhook: createDeliverWebhook(deps.api, deps.networks),
    sendEmail: createSendEmail(deps.api, deps.mail),
    giveUpNotice: createGiveUpNotice(deps.api),
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
  deliverWebhook: DeliveryRef,
  sendEmail: DeliveryRef,
  giveUpNotice: GivenUp,
} satisfies Record<keyof CentralActivities | keyof HostActivities | keyof NoticeActivities, unknown>;

/** Calls to the central API itself: their failures cannot be reported to it. */
export const CENTRAL_SILENT: readonly (keyof CentralActivities)[] = [
  'reportRunStartedCentral',
  'reportStatusCentral',
];
