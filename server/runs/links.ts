/** Where a run can be looked at. */
import type { RunDetail } from '../../workflows/api-contract';
import type { ServerConfig } from '../config';

export type Links = (runId: string) => RunDetail['links'];

export function createLinks({ publicUrl, temporal }: Pick<ServerConfig, 'publicUrl' | 'temporal'>): Links {
  return (runId) => ({
    page: `${publicUrl}/runs/${runId}`,
    ...(temporal.uiUrl !== undefined && {
      temporal: `${temporal.uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${runId}`,
    }),
  });
}
