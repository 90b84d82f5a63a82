/**
 * The network of one node that reaches some endpoints and nothing else. It has no way out, and on it the host has no address:
 * beside the node there is only a relay, a container of ours that is also on the network of all nodes, and passes on what is
 * for these endpoints. No firewall is needed for it: there is no route.
 */
import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LABEL_HOST, containerName, type NodeRef } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { isFrom, isOf, labelsOf, nodeOf, type Placing } from './container';
import type { Containers } from './containers';
import { ask, askFor, refusal } from './engine';
import { ensureImage } from './image';
import { nodeNetwork } from './network';
import { ensureNodeBase } from './node-base';
import { LABEL_PART, notBounded, relayName, relayOf, relayable } from './relay';
import type { Endpoint } from './relay-program';

/** How long the maker of a relay may take to make the node beside it before it is taken to have died. */
const MAKING_MS = 15_000;
const LOOK_EVERY_MS = 50;
const TRIES = 50;

const WITHOUT_HOST = 'com.docker.network.bridge.inhibit_ipv4';
/** 20.10, the oldest engine that is known to leave the host out of a network. */
const OLDEST_API = 41;

/** 198.18.0.0/15 is nobody's: it is set aside for measuring. Of its own ranges an engine has only some thirty to give. */
const RANGE = { first: 198 * 2 ** 24 + 18 * 2 ** 16, networks: 2 ** 14, size: 8 };

const Version = z.object({
  Os: z.string(),
  ApiVersion: z.string().regex(/^1\.\d+$/),
  Components: z
    .array(z.object({ Name: z.string() }))
    .nullish()
    .transform((components) => components ?? []),
});
const Inspected = z.object({
  Internal: z.boolean(),
  Driver: z.string(),
  EnableIPv6: z.boolean(),
  Options: z.record(z.string(), z.string()).nullable(),
});

/** Why `engine` cannot keep a node from reaching more than it may; `undefined` if it can. */
export async function whyNotBounded(engine: Docker): Promise<string | undefined> {
  const { Os, ApiVersion, Components } = Version.parse(await ask(engine.version()));
  if (Os !== 'linux') return `the container engine is one for ${Os}`;
  if (Components.some(({ Name }) => /podman/i.test(Name)))
    return 'the container engine is Podman, which always has an address of the host in its networks';
  if (Number(ApiVersion.slice(2)) < OLDEST_API) return 'the container engine is older than Docker 20.10';
  return undefined;
}

export class BoundedNetworks {
  constructor(
    private readonly engine: Docker,
    private readonly containers: Containers,
  ) {}

  /**
   * Makes the network of a node that is about to be made, with a relay that runs on it. `undefined` if somebody else is making
   * it, or what they left was removed: look again.
   * @param host the id of the worker's state folder
   * @throws ApplicationFailure `ReachNotBounded`, `NodeNotStarted`, `ImageMissing`, `EngineUnavailable`
   */
  async open(ref: NodeRef, host: string, reach: readonly Endpoint[]): Promise<Placing | undefined> {
    const endpoints = relayable(reach);
    const [why, found] = await Promise.all([
      whyNotBounded(this.engine),
      this.containers.find(relayName(ref, host)),
    ]);
    if (why !== undefined) throw notBounded(why);
    if (found !== undefined) return this.settle(ref, host, found);
    const [image, outside] = await Promise.all([relayImage(this.engine), nodeNetwork(this.engine)]);
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const base = RANGE.first + randomInt(RANGE.networks) * RANGE.size;
      const [address, own] = [addressOf(base + 2), addressOf(base + 3)];
      // The name of a container is given to one only: who has made the relay makes the rest.
      const relay = await this.claim(relayOf(ref, host, { image, outside, address, endpoints }));
      if (relay === undefined) return undefined;
      try {
        const network = await this.createNetwork(ref, host, `${addressOf(base)}/29`);
        if (network !== undefined) {
          await this.startOn(network, relay, address);
          const names = Object.fromEntries(endpoints.map(({ host: name }) => [name, address]));
          return { network, address: own, names, nameServer: address };
        }
      } catch (error) {
        await this.close(ref, host);
        throw error;
      }
      await this.containers.remove(relay.id);
    }
    throw failure('NodeNotStarted', `No network for ${ref.node} could be made: 198.18.0.0/15 is in use.`);
  }

  /** Removes the networks and relays of a node, which is gone, or about to be made anew. */
  async close(ref: NodeRef, host: string): Promise<void> {
    const label = [...Object.entries(labelsOf(ref, host)), [LABEL_PART]].map((part) => part.join('='));
    const relays = await ask(this.engine.listContainers({ all: true, filters: { label } }));
    await Promise.all(relays.map(({ Id }) => this.containers.remove(Id)));
    const networks = await ask(this.engine.listNetworks({ filters: { label } }));
    await Promise.all(networks.map(({ Id }) => askFor(this.engine.getNetwork(Id).remove())));
  }

  /** The nodes of which there is a network; one may be there without the node. */
  async list(host: string): Promise<NodeRef[]> {
    const label = [`${LABEL_HOST}=${host}`, LABEL_PART];
    const networks = await ask(this.engine.listNetworks({ filters: { label } }));
    return networks.flatMap(({ Labels }) => nodeOf(Labels ?? {}) ?? []);
  }

  /** What becomes of a relay that is there before its node: one of a launch that is under way is left to its maker. */
  private async settle(ref: NodeRef, host: string, found: ContainerInspectInfo): Promise<undefined> {
    if (!isFrom(found, host))
      throw failure(
        'NodeNotStarted',
        `A container that this worker did not make has the name ${found.Name}.`,
      );
    const isYoung = Date.now() - Date.parse(found.Created) < MAKING_MS;
    if (isOf(found, ref) && isYoung) await sleep(LOOK_EVERY_MS);
    else await this.close(nodeOf(found.Config.Labels) ?? ref, host);
  }

  /** `undefined` if somebody else has the name. */
  private async claim(options: Docker.ContainerCreateOptions): Promise<Docker.Container | undefined> {
    try {
      return await ask(this.engine.createContainer(options));
    } catch (error) {
      if (refusal(error)?.status === 409) return undefined;
      throw error;
    }
  }

  /** The id of a network of these addresses; `undefined` if another one has them. */
  private async createNetwork(ref: NodeRef, host: string, subnet: string): Promise<string | undefined> {
    try {
      const made = await ask(
        this.engine.createNetwork({
          Name: containerName(ref.runId, ref.node, host),
          Driver: 'bridge',
          Internal: true,
          EnableIPv6: false,
          IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
          Options: { [WITHOUT_HOST]: 'true' },
          Labels: { ...labelsOf(ref, host), [LABEL_PART]: 'network' },
        }),
      );
      await this.verify(made);
      return made.id;
    } catch (error) {
      if (/overlaps|conflicts/i.test(refusal(error)?.message ?? '')) return undefined;
      throw error;
    }
  }

  private async startOn(network: string, relay: Docker.Container, address: string): Promise<void> {
    const EndpointConfig = { IPAMConfig: { IPv4Address: address } };
    await ask(this.engine.getNetwork(network).connect({ Container: relay.id, EndpointConfig }));
    await ask(relay.start());
  }

  /** An engine that does not know an option may leave it out. */
  private async verify(network: Docker.Network): Promise<void> {
    const { Internal, Driver, EnableIPv6, Options } = Inspected.parse(await ask(network.inspect()));
    if (Internal && Driver === 'bridge' && !EnableIPv6 && Options?.[WITHOUT_HOST] === 'true') return;
    throw notBounded('the container engine made another network than it was asked for');
  }
}

/** Of the Node.js that runs here, where it can be made of that: nothing has to be pulled for a relay then. */
const relayImage = (engine: Docker): Promise<string> =>
  process.platform === 'linux'
    ? ensureNodeBase(engine)
    : ensureImage({ engine, image: `node:${process.versions.node}-bookworm-slim` });

/** An IPv4 address as it is written. */
const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
