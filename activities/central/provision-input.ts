/** What the provision command of a computation reads: `provision_input.json`, in the shape that its image knows. */
import type { Computation, Provisioned, ProvisionInput } from '../../workflows/contract';

/** How many ports a computation's central node listens on; images of older versions have one more, for administrators. */
export const portsOf = ({ ports, provisionInput }: Pick<Computation, 'ports' | 'provisionInput'>): number =>
  provisionInput === 'users' ? ports : ports + 1;

/** The content of `provision_input.json`. It holds no other key: images refuse what they do not know. */
export function provisionInput(
  {
    sites,
    parameters,
    computation,
  }: Pick<ProvisionInput, 'sites' | 'parameters'> & {
    computation: Pick<Computation, 'provisionInput'>;
  },
  { host, ports }: Provisioned['endpoint'],
): Record<string, unknown> {
  const shape = computation.provisionInput;
  return {
    ...(shape === 'user_ids+admin_port'
      ? { user_ids: sites.map(({ id }) => id) }
      : { users: sites.map(({ id, name }) => ({ id, name })) }),
    computation_parameters: JSON.stringify(parameters),
    fed_learn_port: ports[0],
    ...(shape !== 'users' && { admin_port: ports.at(-1) }),
    host_identifier: host,
  };
}
