/** `muster health`: whether the central API has all that it needs, and which site gateways there are. */
import type { Command } from 'commander';
import { ApiProblem, type MusterApi } from '../client';
import type { ListGatewaysResponse } from '../client/generated/types.gen';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { JSON_OPTION, moment, print, type JsonOption } from './output';
import { table } from './table';

/** Adds `muster health`. */
export function registerHealth(program: Command): void {
  withApiOptions(program.command('health'))
    .description(
      'say whether the database, Temporal and the object store answer the central API; for admins, also which site gateways there are',
    )
    .option(...JSON_OPTION)
    .action(health);
}

async function health({ json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const api = await openApi(where);
  const ready = await api.getReadiness();
  const list = await gatewaysAt(api);
  const known = 'gateways' in list ? { ...ready, gateways: list.gateways } : ready;
  print(json, known, table([...Object.entries(ready.checks), ...gatewayRows(list)]));
}

/** Or why they are not shown: health itself is for everybody. */
async function gatewaysAt(api: MusterApi): Promise<ListGatewaysResponse | { why: string }> {
  try {
    return await api.listGateways();
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500)
      return { why: error.problem?.detail ?? error.message };
    throw error;
  }
}

function gatewayRows(list: ListGatewaysResponse | { why: string }): [string, string][] {
  if ('why' in list) return [['gateways', `not shown: ${list.why}`]];
  if (list.gateways.length === 0) return [['gateways', 'none has been heard of']];
  return list.gateways.map(({ name, presence, seenAt }) => {
    const words = {
      here: `ok, asked ${Math.round(Math.max(0, list.at - seenAt) / 1_000)} s ago`,
      away: `not heard of since ${moment(seenAt)}`,
      unknown: `not known yet, heard of last at ${moment(seenAt)}`,
    };
    return [`gateway ${name}`, words[presence]];
  });
}
