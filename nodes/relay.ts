/** The container beside a node through which alone it reaches what it may; pure. */
import type { ContainerCreateOptions } from 'dockerode';
import { isIP } from 'node:net';
import { containerName, type NodeRef } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { HARDENED, labelsOf } from './container';
import { THIS_HOST } from './network';
import { relayCommand, type Endpoint } from './relay-program';

/** On what belongs to a node and is not the node itself. */
export const LABEL_PART = 'io.muster.part';

const NOBODY = '65534:65534';
const MEMORY = 128 * 2 ** 20;
const PIDS = 32;
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i;

export const relayName = ({ runId, node }: NodeRef, host: string) =>
  `${containerName(runId, node, host)}-relay`;

export const notBounded = (why: string) =>
  failure('ReachNotBounded', `Nodes here reach the federation endpoint and nothing else, but ${why}.`);

/**
 * The endpoints that one relay can stand for, each once.
 * @throws ApplicationFailure `ReachNotBounded`
 */
export function relayable(endpoints: readonly Endpoint[]): Endpoint[] {
  const hosts = new Map<number, string>();
  for (const { host, port } of endpoints) {
    if (isIP(host.replace(/^\[|\]$/g, '')) !== 0)
      throw notBounded(`${host} is an address, and a relay can stand for a host by its name only`);
    if (!HOST_NAME.test(host)) throw notBounded(`${JSON.stringify(host)} is not the name of a host`);
    const other = hosts.get(port);
    if (other !== undefined && other !== host)
      throw notBounded(`${other} and ${host} have the same port, ${port}, which one relay cannot stand for`);
    hosts.set(port, host);
  }
  return [...hosts].map(([port, host]) => ({ host, port }));
}

/** What a relay is made of. */
export interface RelayPlan {
  /** Known to the engine; it has Node.js. */
  image: string;
  /** The network with a way out. */
  outside: string;
  /** Its own, on the node's network. */
  address: string;
  endpoints: readonly Endpoint[];
}

/** The relay of a node. Its program is ours, and yet it gets no more than it needs. */
export function relayOf(
  ref: NodeRef,
  host: string,
  { image, outside, address, endpoints }: RelayPlan,
): ContainerCreateOptions {
  return {
    name: relayName(ref, host),
    Image: image,
    Cmd: relayCommand({ address, endpoints }),
    User: NOBODY,
    Labels: { ...labelsOf(ref, host), [LABEL_PART]: 'relay' },
    HostConfig: {
      ...HARDENED,
      NetworkMode: outside,
      ExtraHosts: Object.entries(THIS_HOST).map((pair) => pair.join(':')),
      // Older engines, and settings of the host, keep the low ports for root.
      Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      ReadonlyRootfs: true,
      Memory: MEMORY,
      MemorySwap: MEMORY,
      PidsLimit: PIDS,
      // While it is away the node's connections break, which it sees; whether to end is for the node to decide.
      RestartPolicy: { Name: 'on-failure' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
    },
  };
}
