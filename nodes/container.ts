/** What the container of a node is made of: pure translation between the words of nodes and those of the engine. */
import type { ContainerCreateOptions, ContainerInspectInfo, MountSettings } from 'dockerode';
import {
  containerName,
  LABEL_HOST,
  LABEL_LAUNCH,
  LABEL_NODE,
  LABEL_RUN,
  toBytes,
  type NodeRef,
} from '../workflows/contract';
import type { ContainerUser } from './container-user';
import { readNodeRef } from './node-ref';
import type { NodeCondition, NodeSpec } from './node-runtime';

const CPU_PERIOD_US = 100_000;
const TEMPORARY = '/tmp';

/** On which network a container is, and whom it knows there. */
export interface Placing {
  /** Known to the engine. */
  network: string;
  /** Its own address; absent: one that the engine chooses. */
  address?: string;
  /** Addresses of hosts by name, or `host-gateway`. */
  names: Readonly<Record<string, string>>;
  /** Whom other names are asked of. Absent: whom the host asks. */
  nameServer?: string;
}

/** What a container needs besides what its node asks for. */
export interface Surroundings {
  /** Known to the engine. */
  image: string;
  placing: Placing;
  /** The id of the worker's state folder. */
  host: string;
  user: ContainerUser;
}

/** What holds for every container, whatever the engine's own standards are. */
export const HARDENED = {
  // An init reaps zombies and passes signals on: a program that is process 1 itself ignores SIGTERM.
  Init: true,
  Privileged: false,
  IpcMode: 'private',
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
};

/** By what a container, or what else belongs to a node, is found again. */
export const labelsOf = ({ runId, launchId, node }: NodeRef, host: string): Record<string, string> => ({
  [LABEL_RUN]: runId,
  [LABEL_LAUNCH]: launchId,
  [LABEL_NODE]: node,
  [LABEL_HOST]: host,
});

/** The container of a node. */
export function containerOf(
  spec: NodeSpec,
  { image, placing, host, user }: Surroundings,
): ContainerCreateOptions {
  const { runId, node, command, ports, resources, containers } = spec;
  const { network, address, names, nameServer } = placing;
  const { env: ofUser, UsernsMode, User } = user;
  const isReadOnly = containers?.readOnlyRoot === true;
  const env = { ...ofUser, ...(isReadOnly && { HOME: TEMPORARY }), ...spec.env };
  const published = ports.map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]] as const);
  return {
    name: containerName(runId, node, host),
    Image: image,
    Cmd: [...command],
    ...(User !== undefined && { User }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(spec, host),
    ExposedPorts: Object.fromEntries(published.map(([port]) => [port, {}])),
    ...(address !== undefined && {
      NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } },
    }),
    HostConfig: {
      ...HARDENED,
      Mounts: mountsOf(spec),
      NetworkMode: network,
      ...(UsernsMode !== undefined && { UsernsMode }),
      PortBindings: Object.fromEntries(published),
      ExtraHosts: Object.entries(names).map(([name, at]) => `${name}:${at}`),
      ...(nameServer !== undefined && { Dns: [nameServer] }),
      ...(isReadOnly && { ReadonlyRootfs: true, Tmpfs: { [TEMPORARY]: 'rw,nosuid,nodev,mode=1777' } }),
      // Who starts a node again is for the run to decide.
      RestartPolicy: { Name: 'no' },
      // A quota may exceed the host's processors, where `NanoCpus` is refused.
      CpuPeriod: CPU_PERIOD_US,
      CpuQuota: Math.round(resources.cpus * CPU_PERIOD_US),
      Memory: toBytes(resources.memory),
      MemorySwap: toBytes(resources.memory),
      PidsLimit: resources.pids,
      ShmSize: toBytes(resources.shm),
      ...(resources.gpus > 0 && { DeviceRequests: [{ Count: resources.gpus, Capabilities: [['gpu']] }] }),
      // The log is followed and kept elsewhere. A node that says much in little time is ahead of who follows it, and
      // what the engine rotates away meanwhile is lost: so it has room for some 80 MB of text before it rotates at all.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '128m', 'max-file': '2' } },
    },
  };
}

/** The host's folders that a container sees. */
export function mountsOf({ folders }: NodeSpec): MountSettings[] {
  const mounts = [
    { Source: folders.provision, Target: '/provisioning', ReadOnly: false },
    { Source: folders.kit, Target: '/workspace/runKit', ReadOnly: false },
    { Source: folders.data, Target: '/workspace/data', ReadOnly: true },
    { Source: folders.output, Target: '/workspace/output', ReadOnly: false },
  ];
  return mounts.flatMap(({ Source, ...mount }) =>
    Source === undefined ? [] : [{ Type: 'bind' as const, Source, ...mount }],
  );
}

/** The node that labels name, if they do. */
export function nodeOf(labels: Record<string, string>): NodeRef | undefined {
  return readNodeRef({ runId: labels[LABEL_RUN], launchId: labels[LABEL_LAUNCH], node: labels[LABEL_NODE] });
}

/** Whether a container is a node's that the worker of this state folder made. */
export const isFrom = ({ Config }: ContainerInspectInfo, host: string): boolean =>
  nodeOf(Config.Labels) !== undefined && Config.Labels[LABEL_HOST] === host;

/** Whether a container is that of the very same launch. */
export function isOf({ Config }: ContainerInspectInfo, ref: NodeRef): boolean {
  const node = nodeOf(Config.Labels);
  return node?.runId === ref.runId && node.launchId === ref.launchId && node.node === ref.node;
}

/** A container that was made and not started: its maker is about to, or died before it could. */
export const isUnstarted = ({ State }: ContainerInspectInfo): boolean => State.Status === 'created';

/** What a container says of its node. */
export function conditionOf({
  Id,
  State,
}: ContainerInspectInfo): Exclude<NodeCondition, { state: 'absent' }> {
  const startedAt = Date.parse(State.StartedAt);
  if (State.Running) return { state: 'running', id: Id, startedAt };
  return {
    state: 'exited',
    id: Id,
    exitCode: State.ExitCode,
    startedAt,
    endedAt: Date.parse(State.FinishedAt),
    outOfMemory: State.OOMKilled,
  };
}
