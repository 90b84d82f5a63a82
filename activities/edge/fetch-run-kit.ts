/**
 * fetchRunKit: the site decides whether this may run here, finds its data, and gets its kit, if the centre's signature stands
 * for what it was asked to do.
 */
import { Context } from '@temporalio/activity';
import type { FetchInput } from '../../workflows/contract';
import { fetchOwnKit } from '../shared/own-kit';
import { launchMeans } from '../shared/run-node';
import { admit } from './admission';
import type { EdgeHost } from './edge-host';
import { openSignedLaunch, termsOf } from './signed-launch';
import { dataFolder } from './site-data';

export function createFetchRunKit(host: EdgeHost) {
  return async function fetchRunKit(input: FetchInput): Promise<void> {
    const { site, computation, kit, consortium: _asAsked, ...launch } = input;
    const ref = { ...launch, node: site.id };
    const policy = await host.policy();
    // Asked before anything is downloaded: a refusal, or data that is not there, should be known at once.
    await admit(host, policy, input);
    await launchMeans(host, ref, computation, policy);
    await dataFolder(site, policy);
    await fetchOwnKit(host, ref, kit, Context.current().cancellationSignal, async (access) => {
      const { manifest, contentKey } = await openSignedLaunch(host, input, access);
      await admit(host, policy, { ...input, consortium: manifest.consortium });
      return { key: contentKey, signed: termsOf(manifest) };
    });
  };
}
