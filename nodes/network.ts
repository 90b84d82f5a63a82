/**
 * The network of all nodes of an engine. On it containers cannot reach one another, so the node of one site cannot
 * reach that of another on the same host: an edge reaches its central node as it would from afar, through the port
 * that is published on the host (carried by the engine's userland proxy, which is on by default). One network serves
 * all runs, because an engine has addresses for some thirty only.
 */
import type Docker from 'dockerode';
import { failure } from '../workflows/errors';
import { ask, askFor } from './engine';

const NAME = 'muster';
const LABEL = 'io.muster.network';

/** By this name containers know the machine they run on. */
export const THIS_HOST = { 'host.docker.internal': 'host-gateway' };

/** The id of the nodes' network, which is made if there is none. */
export async function nodeNetwork(engine: Docker): Promise<string> {
  const found = await oldest(engine);
  if (found !== undefined) return found;
  const { id } = await ask(
    engine.createNetwork({
      Name: NAME,
      Driver: 'bridge',
      Labels: { [LABEL]: 'nodes' },
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    }),
  );
  // Engines allow two networks of one name: of those that several workers make at once, the oldest is everyone's.
  const chosen = (await oldest(engine)) ?? id;
  if (chosen !== id) await askFor(engine.getNetwork(id).remove());
  return chosen;
}

/** Drivers by which a container shares the host's own network, or gets addresses beside it that its firewall does not see. */
const WITHOUT_BOUNDS: readonly string[] = ['host', 'null', 'macvlan', 'ipvlan'];

/**
 * The id of the network that a host's administrator made for nodes, and bounded.
 * @throws ApplicationFailure `NodeNotStarted`
 */
export async function namedNetwork(engine: Docker, name: string): Promise<string> {
  const networks = await ask(engine.listNetworks({ filters: { name: [name] } }));
  const own = networks.filter((network) => network.Name === name);
  const [network] = own;
  if (network === undefined) throw failure('NodeNotStarted', `The network ${name} is not on this host.`);
  if (own.length > 1) throw failure('NodeNotStarted', `There are ${own.length} networks named ${name}.`);
  if (WITHOUT_BOUNDS.includes(network.Driver))
    throw failure('NodeNotStarted', `Nodes are not put on ${name}, a network of the kind ${network.Driver}.`);
  return network.Id;
}

async function oldest(engine: Docker): Promise<string | undefined> {
  const networks = await ask(engine.listNetworks({ filters: { label: [LABEL] } }));
  const [first] = networks.toSorted((a, b) => (`${a.Created} ${a.Id}` < `${b.Created} ${b.Id}` ? -1 : 1));
  return first?.Id;
}
