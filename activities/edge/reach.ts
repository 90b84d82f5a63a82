/** What a site lets its nodes reach; pure. */
import type { Endpoint } from '../../nodes';
import type { FederationEndpoint } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { HostPolicy } from '../shared/policy';

/**
 * All that a node may reach by the site's rules: its central node, and where it reports, if it may. `undefined`: whatever its
 * network lets it.
 * @throws ApplicationFailure `ReachNotBounded` where it is not known what to bound it to
 */
export function reachOf(
  { file, containers }: Pick<HostPolicy, 'file' | 'containers'>,
  federation: FederationEndpoint | undefined,
  reportUrl: string | undefined,
): Endpoint[] | undefined {
  if (containers?.reach !== 'federation') return undefined;
  if (federation === undefined)
    throw failure(
      'ReachNotBounded',
      `${file}: containers.reach: nodes here reach the federation endpoint and nothing else, but the central side is of an older ` +
        'version, which does not say where that is.',
    );
  const { host, ports } = federation;
  return [
    ...ports.map((port) => ({ host, port })),
    ...(reportUrl === undefined ? [] : [endpointOf(reportUrl)]),
  ];
}

function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  const standard = protocol === 'https:' ? 443 : 80;
  return { host: hostname, port: port === '' ? standard : Number(port) };
}
