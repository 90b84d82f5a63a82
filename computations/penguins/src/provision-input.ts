/** What provisioning is asked for: `provision_input.json` of the computation contract, and no key more. */
import { isIP } from 'node:net';
import { asParameters, asPort, type Parameters } from './messages';
import { asArray, asObject, asText, parseJson } from './shape';

export interface ProvisionInput {
  /** Ids of the sites. */
  sites: string[];
  /** The name or IP address by which the edges reach central. */
  host: string;
  port: number;
  parameters: Parameters;
}

const KEYS = ['users', 'computation_parameters', 'fed_learn_port', 'host_identifier'];
/** A site's id becomes a folder's name and a certificate's. */
const SITE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$/;

export const CENTRAL_KIT = 'centralNode';

export function parseProvisionInput(json: string): ProvisionInput {
  const input = asObject(parseJson(json, 'provision_input.json'), 'provision_input.json', KEYS);
  const users = asArray(input.users, 'users').map((user) => {
    const { id, name } = asObject(user, 'A user', ['id', 'name']);
    return { id: asText(id, 'The id of a user', SITE_ID), name: asText(name, 'The name of a user') };
  });
  const sites = users.map(({ id }) => id);
  if (sites.length === 0) throw new Error('users must name at least one site');
  refuseDoubles(sites, 'id');
  refuseDoubles(
    users.map(({ name }) => name),
    'name',
  );
  if (sites.includes(CENTRAL_KIT)) throw new Error(`A site cannot have the id ${CENTRAL_KIT}`);
  const parameters = asText(input.computation_parameters, 'computation_parameters');
  return {
    sites,
    host: asHost(input.host_identifier),
    port: asPort(input.fed_learn_port),
    parameters: asParameters(parseJson(parameters, 'computation_parameters')),
  };
}

function refuseDoubles(values: readonly string[], what: string): void {
  const double = values.find((value, index) => values.indexOf(value) !== index);
  if (double !== undefined) throw new Error(`Two users have the ${what} ${JSON.stringify(double)}`);
}

function asHost(value: unknown): string {
  const host = asText(value, 'host_identifier');
  if (isIP(host) === 0 && !HOST_NAME.test(host))
    throw new Error('host_identifier is neither a host name nor an IP address');
  return host;
}
