/** signalEdgeClients: starts, or tells, the part of a run at each site. */
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  CENTRAL_QUEUE,
  EDGE_RUN_WORKFLOW,
  edgeClientStartRunSignal,
  edgeRunWorkflowId,
  type EdgeClientStartRun,
  type SignalEdgesInput,
} from '../../workflows/contract';

const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');
const MUSTER_SITE = defineSearchAttributeKey('MusterSite', 'KEYWORD');
const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');

export function createSignalEdgeClients(temporal: Client) {
  /** A repeat signals a site twice; a site takes the orders of one launch once. */
  return async function signalEdgeClients({ starts }: SignalEdgesInput): Promise<void> {
    await Promise.all(starts.map((start) => signalEdge(temporal, start)));
  };
}

async function signalEdge(temporal: Client, start: EdgeClientStartRun): Promise<void> {
  const { runId, launchId, site, computation, consortium } = start;
  await temporal.workflow.signalWithStart(EDGE_RUN_WORKFLOW, {
    workflowId: edgeRunWorkflowId(runId, site.id),
    taskQueue: CENTRAL_QUEUE,
    signal: edgeClientStartRunSignal,
    signalArgs: [start],
    typedSearchAttributes: [
      { key: MUSTER_CONSORTIUM, value: consortium.id },
      { key: MUSTER_SITE, value: site.id },
      { key: MUSTER_STATUS, value: 'waiting' },
    ],
    staticSummary: `${site.name} in ${runId}`,
    staticDetails: `Part of run **${runId}** at **${site.name}**: ${computation.name} ${computation.version}, launch ${launchId}, dataset ${site.dataset}.`,
  });
}
