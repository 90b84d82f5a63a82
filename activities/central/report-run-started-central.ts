/** reportRunStartedCentral: the central API stores that the central node is up, and tells its listeners. */
import type { CentralApi } from '../../client/central-api';
import type { StartedReport } from '../../workflows/contract';

export function createReportRunStartedCentral(api: CentralApi) {
  return async function reportRunStartedCentral({ runId, ...report }: StartedReport): Promise<void> {
    await api.reportRunStartedCentral(runId, report);
  };
}
