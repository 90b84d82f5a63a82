/** fetchRunKit: the site decides whether this may run here, finds its data, and gets its kit. */
import { Context } from '@temporalio/activity';
import type { FetchInput } from '../../workflows/contract';
import { fetchOwnKit } from '../shared/own-kit';
import { launchMeans } from '../shared/run-node';
import { admit } from './admission';
import type { EdgeHost } from './edge-host';
import { dataFolder } from './site-data';

export function createFetchRunKit(host: EdgeHost) {
  return async function fetchRunKit(input: FetchInput): Promise<void> {
    const { site, computation, kit, consortium: _ofTheRun, ...launch } = input;
    const ref = { ...launch, node: site.id };
    const policy = await host.policy();
    // Asked before anything is downloaded: a refusal, or data that is not there, should be known at once.
    await admit(host, policy, input);
    await launchMeans(host, ref, computation, policy);
    await dataFolder(site, policy);
    await fetchOwnKit(host, ref, kit, Context.current().cancellationSignal);
  };
}
