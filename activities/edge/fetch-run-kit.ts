/** fetchRunKit: the site decides whether this may run here, finds its data, and gets its kit. */
import { Context } from '@temporalio/activity';
import type { FetchInput } from '../../workflows/contract';
import { fetchOwnKit } from '../shared/own-kit';
import { meansFor } from '../shared/policy';
import type { EdgeHost } from './edge-host';
import { dataFolder } from './site-data';

export function createFetchRunKit(host: EdgeHost) {
  return async function fetchRunKit({ site, computation, kit, ...ref }: FetchInput): Promise<void> {
    const policy = await host.policy();
    // Asked before anything is downloaded: a refusal, or data that is not there, should be known at once.
    await meansFor(computation, policy, (kind) => host.chooseRuntime(kind));
    await dataFolder(site, policy);
    await fetchOwnKit(host, ref, kit, Context.current().cancellationSignal);
  };
}
