/**
 * How a node is run, whatever runs it. A node is found again by its run, launch and name alone, so every call here
 * can be made by a worker that has just been restarted and remembers nothing.
 */
import type { Computation, NodeRef } from '../workflows/contract';
import type { Endpoint } from './relay-program';

export type RuntimeKind = 'docker' | 'process';

/** All that is needed to bring a node up. Folders are absolute paths on this host. */
export interface NodeSpec extends NodeRef {
  command: readonly string[];
  /** docker: image reference or id. */
  image?: string;
  /** process: the computation's folder, the command's working directory. */
  folder?: string;
  /** Folders the node sees; which ones are present depends on its role (docs/computations.md). */
  folders: {
    /** Read-write, `/provisioning` or PROVISION_DIR. */
    provision?: string;
    /** Read-write, `/workspace/runKit` or RUN_KIT_DIR. */
    kit?: string;
    /** Read-only, `/workspace/data` or DATA_DIR. */
    data?: string;
    /** Read-write, `/workspace/output` or OUTPUT_DIR. */
    output?: string;
  };
  /** Published on the host under the same numbers (docker); bound by the node itself (process). */
  ports: readonly number[];
  /** Added to the environment of the node. */
  env: Readonly<Record<string, string>>;
  resources: Computation['resources'];
  /** docker: what the host asks of its containers beyond what holds for all of them. */
  containers?: {
    readOnlyRoot?: boolean;
    /** Name of a network of the engine, instead of the nodes' own. */
    network?: string | undefined;
  };
  /**
   * docker: all that the node can reach; of an empty list it has no network. Absent: what its network lets it reach.
   * The process runtime bounds nothing.
   */
  reach?: readonly Endpoint[];
}

export interface RunningNode {
  state: 'running';
  /** Container id or pid. */
  id: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
}
export interface ExitedNode {
  state: 'exited';
  id: string;
  /** `undefined`: it ended, but how is not known (its keeper died with it). */
  exitCode: number | undefined;
  startedAt: number;
  endedAt: number;
  /** Killed for using more memory than its limit. */
  outOfMemory: boolean;
}
export interface AbsentNode {
  state: 'absent';
}
export type NodeCondition = RunningNode | ExitedNode | AbsentNode;

/** A part of a node's output, as it came: it may end within a line, or within a character. */
export interface LogPiece {
  bytes: Buffer;
  /** Following goes on after this piece from here; it means something to the runtime only. */
  cursor: string;
}

export interface NodeRuntime {
  readonly kind: RuntimeKind;
  /**
   * Brings the node up once. A node of the same launch that is running, or has already ended, is left as it is; one of
   * another launch is stopped and removed first.
   * A failed start leaves nothing behind; a command whose program is not there is a node that exits with 127.
   * @throws ApplicationFailure `EngineUnavailable`, `ImageMissing`, `NodeNotStarted`, `ReachNotBounded`
   */
  ensure(spec: NodeSpec): Promise<RunningNode | ExitedNode>;
  /** What is true of the node now. A node of another launch counts as absent. */
  inspect(ref: NodeRef): Promise<NodeCondition>;
  /** Resolves when the node is no longer running, also if it never ran; rejects with `signal.reason` when aborted. */
  wait(ref: NodeRef, signal: AbortSignal): Promise<ExitedNode | AbsentNode>;
  /** The last `lines` lines of the node's output, stdout and stderr in the order they came where that is known. */
  logs(ref: NodeRef, lines: number): Promise<string>;
  /**
   * The node's output, stdout and stderr, from its begin or from after `cursor`, as it comes. Ends when the node has
   * ended and everything was read, or when it was removed; throws `signal.reason` when aborted.
   */
  follow(ref: NodeRef, cursor: string | undefined, signal: AbortSignal): AsyncIterable<LogPiece>;
  /**
   * SIGTERM, then after `graceMs` SIGKILL, to all of the node's processes. Resolves when nothing of it runs any more.
   * Idempotent; a later call with a shorter grace is not held up by an earlier one.
   */
  stop(ref: NodeRef, graceMs: number): Promise<{ wasRunning: boolean; forced: boolean }>;
  /** Removes the node and what the runtime keeps about it; stops it first without grace if need be. Idempotent. */
  remove(ref: NodeRef): Promise<void>;
  /** Every node that the worker of this state folder holds, running or not; nobody else's on the same host. */
  list(): Promise<NodeRef[]>;
}
