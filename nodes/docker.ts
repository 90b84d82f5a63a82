/**
 * Nodes as containers. A node is found by its container's name and labels, so the worker remembers nothing; the
 * engine keeps the container over restarts of the worker, and its exit code over restarts of the engine.
 */
import { ApplicationFailure } from '@temporalio/common';
import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerName, LABEL_HOST, type NodeRef } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { unlessAborted } from './aborting';
import { BoundedNetworks } from './bounded-network';
import {
  conditionOf,
  containerOf,
  isFrom,
  isOf,
  isUnstarted,
  mountsOf,
  nodeOf,
  type Placing,
} from './container';
import { readContainerLog } from './container-log';
import { containerUser } from './container-user';
import { Containers } from './containers';
import { ask, askFor, isBrokenConnection, refusal } from './engine';
import { refuseSockets } from './engine-socket';
import { hostIdOf } from './host-id';
import { THIS_HOST, namedNetwork, nodeNetwork } from './network';
import type { AbsentNode, ExitedNode, NodeCondition, NodeRuntime, NodeSpec } from './node-runtime';
import { demultiplexed, lastLines } from './tail';

/** How long the maker of a container may take to start it before it is taken to have died. */
const START_MS = 5_000;
const ENSURE_MS = 120_000;
const LOOK_EVERY_MS = 50;
const ENGINE_RETRY_MS = 500;
const KILL_AGAIN_MS = 10_000;

/**
 * Runs nodes as containers of `engine`, which has to see the same folders as this process.
 * @param stateDir the worker's own: others may use the engine too, and their containers are not listed
 */
export function createDockerRuntime({ engine, stateDir }: { engine: Docker; stateDir: string }): NodeRuntime {
  const containers = new Containers(engine);
  const bounded = new BoundedNetworks(engine, containers);

  const closeNetwork = async (ref: NodeRef) => bounded.close(ref, await hostIdOf(stateDir));

  /** Whatever has the name of a node; also one that an older version named, which left this host out of it. */
  async function find({ runId, node }: NodeRef): Promise<ContainerInspectInfo | undefined> {
    const host = await hostIdOf(stateDir);
    const found = await containers.find(containerName(runId, node, host));
    if (found !== undefined) return found;
    const old = await containers.find(`muster-${runId}-${node}`);
    return old !== undefined && isFrom(old, host) ? old : undefined;
  }

  /** The container of this launch, started or not. */
  async function findOwn(ref: NodeRef): Promise<ContainerInspectInfo | undefined> {
    const found = await find(ref);
    if (found === undefined || !isFrom(found, await hostIdOf(stateDir))) return undefined;
    return isOf(found, ref) ? found : undefined;
  }

  async function inspect(ref: NodeRef): Promise<NodeCondition> {
    const own = await findOwn(ref);
    return own === undefined || isUnstarted(own) ? { state: 'absent' } : conditionOf(own);
  }

  /**
   * Makes the node and all that belongs to it. `undefined` if somebody else has the name, or took the container away: then,
   * and when it fails, nothing is left of the attempt.
   */
  async function bringUp(spec: NodeSpec): Promise<ContainerInspectInfo | undefined> {
    const placing = await place(spec);
    if (placing === undefined) return undefined;
    let up: ContainerInspectInfo | undefined;
    try {
      return (up = await start(spec, placing));
    } finally {
      if (up === undefined && placing.address !== undefined) await closeNetwork(spec);
    }
  }

  /** The network of a node that is about to be made. */
  async function place(spec: NodeSpec): Promise<Placing | undefined> {
    const { reach, containers: wishes } = spec;
    if (reach?.length === 0) return { network: 'none', names: {} };
    if (reach !== undefined) return bounded.open(spec, await hostIdOf(stateDir), reach);
    const named = wishes?.network;
    const network = await (named === undefined ? nodeNetwork(engine) : namedNetwork(engine, named));
    return { network, names: THIS_HOST };
  }

  async function start(spec: NodeSpec, placing: Placing): Promise<ContainerInspectInfo | undefined> {
    const made = await make(spec, placing);
    if (made === undefined) return undefined;
    try {
      await ask(made.start());
    } catch (error) {
      const refused = refusal(error);
      if (refused === undefined) throw error;
      if (/no such container|marked for removal/i.test(refused.message)) return undefined;
      await containers.remove(made.id);
      throw notStarted(spec, refused.message);
    }
    const started = await containers.find(made.id);
    if (started !== undefined) return started;
    throw failure('NodeNotStarted', `The container of ${spec.node} was removed as soon as it was started.`);
  }

  async function make(spec: NodeSpec, placing: Placing): Promise<Docker.Container | undefined> {
    const { node, image } = spec;
    if (image === undefined) {
      throw failure('ImageMissing', `The computation of ${node} names no image to run as a container.`);
    }
    const [host, user] = await Promise.all([hostIdOf(stateDir), containerUser(engine)]);
    await refuseSockets(mountsOf(spec), engine);
    try {
      return await ask(engine.createContainer(containerOf(spec, { image, placing, host, user })));
    } catch (error) {
      const refused = refusal(error);
      if (refused === undefined) throw error;
      if (refused.status === 409) return undefined;
      if (refused.status === 404) throw failure('ImageMissing', `The image ${image} is not on this host.`);
      throw notStarted(spec, refused.message);
    }
  }

  /**
   * What becomes of a container that has the node's name. Only who made a container starts it, because the engine
   * would start it again if it had ended since; one that was left unstarted is replaced by a new one.
   */
  async function settle(
    spec: NodeSpec,
    found: ContainerInspectInfo,
  ): Promise<ContainerInspectInfo | undefined> {
    if (!isFrom(found, await hostIdOf(stateDir))) {
      throw failure(
        'NodeNotStarted',
        `A container that this worker did not make has the name ${found.Name}: rename it.`,
      );
    }
    if (!isOf(found, spec)) await remove(nodeOf(found.Config.Labels) ?? spec);
    else if (!isUnstarted(found)) return found;
    else if (Date.now() - Date.parse(found.Created) < START_MS) await sleep(LOOK_EVERY_MS);
    else await containers.removeUnlessRunning(found.Id);
    return undefined;
  }

  async function stopNode(ref: NodeRef, graceMs: number): Promise<{ wasRunning: boolean; forced: boolean }> {
    const condition = await inspect(ref);
    if (condition.state !== 'running') return { wasRunning: false, forced: false };
    const { id } = condition;
    await containers.kill(id, 'SIGTERM');
    if (await containers.hasStopped(id, graceMs)) return { wasRunning: true, forced: false };
    do await containers.kill(id, 'SIGKILL');
    while (!(await containers.hasStopped(id, KILL_AGAIN_MS)));
    return { wasRunning: true, forced: true };
  }

  async function remove(ref: NodeRef): Promise<void> {
    const own = await findOwn(ref);
    if (own !== undefined) await containers.remove(own.Id);
    await closeNetwork(ref);
  }

  async function waitForEnd(ref: NodeRef, signal: AbortSignal): Promise<ExitedNode | AbsentNode> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const condition = await inspect(ref);
        if (condition.state !== 'running') return condition;
        await containers.untilStopped(condition.id, signal);
      } catch (error) {
        if (!isPassing(error)) throw error;
        await sleep(ENGINE_RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** A stream of the engine ends with the container, and with the engine: only a look at the container tells which. */
  async function* follow(ref: NodeRef, cursor: string | undefined, signal: AbortSignal) {
    let last = cursor;
    for (;;) {
      signal.throwIfAborted();
      try {
        const own = await findOwn(ref);
        if (own === undefined) return;
        const before = last;
        for await (const piece of readContainerLog(engine.getContainer(own.Id), last, signal)) {
          last = piece.cursor;
          yield piece;
        }
        if (!own.State.Running) return;
        if (last !== before) continue;
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error) && !isBrokenConnection(error) && refusal(error)?.status !== 404) throw error;
      }
      await sleep(ENGINE_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    kind: 'docker',
    inspect,
    follow,
    wait: (ref, signal) => unlessAborted(signal, waitForEnd(ref, signal)),
    async ensure(spec) {
      const deadline = Date.now() + ENSURE_MS;
      while (Date.now() < deadline) {
        const found = await find(spec);
        const own = found === undefined ? await bringUp(spec) : await settle(spec, found);
        if (own !== undefined) return conditionOf(own);
      }
      throw failure('NodeNotStarted', `Others keep taking the name of the container of ${spec.node}.`);
    },
    async logs(ref, lines) {
      const own = await findOwn(ref);
      if (own === undefined) return '';
      const options = { stdout: true, stderr: true, tail: lines };
      const log = await askFor(engine.getContainer(own.Id).logs(options));
      return log === undefined ? '' : lastLines(demultiplexed(log), lines);
    },
    async stop(ref, graceMs) {
      const stopped = await stopNode(ref, graceMs);
      // The node may say goodbye through its relay, which then has nobody to stand for.
      await closeNetwork(ref);
      return stopped;
    },
    remove,
    async list() {
      const host = await hostIdOf(stateDir);
      const label = [`${LABEL_HOST}=${host}`];
      const found = await ask(engine.listContainers({ all: true, filters: { label } }));
      const refs = [...found.flatMap(({ Labels }) => nodeOf(Labels) ?? []), ...(await bounded.list(host))];
      return [...new Map(refs.map((ref) => [`${ref.runId} ${ref.launchId} ${ref.node}`, ref])).values()];
    },
  };
}

/** An engine that is away or in trouble, as it is while it restarts: its containers are found again. */
function isPassing(error: unknown): boolean {
  const away = error instanceof ApplicationFailure && error.type === 'EngineUnavailable';
  return away || (refusal(error)?.status ?? 0) >= 500;
}

function notStarted({ node }: NodeSpec, reason: string): ApplicationFailure {
  return failure('NodeNotStarted', `The node ${node} could not be started: ${reason}`);
}
