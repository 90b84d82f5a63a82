/** reportStatusCentral: the central API stores what changed of a run. */
import { Context } from '@temporalio/activity';
import type { CentralApi } from '../../client/central-api';
import type { StatusReport } from '../../workflows/contract';

export function createReportStatusCentral(api: CentralApi) {
  return async function reportStatusCentral(report: StatusReport): Promise<void> {
    // Which execution speaks is told from outside the workflow: workflow code must not depend on it.
    const execution = Context.current().info.workflowExecution?.runId ?? '';
    await api.reportStatusCentral(report.run.runId, { ...report, execution });
  };
}
