/** The room's door: the node runtimes of this host, which of them to use, and what is to be known of a node's end. */
import type Docker from 'dockerode';
import { createDockerRuntime } from './docker';
import { connectEngine, engineAnswers } from './engine';
import type { NodeRuntime, RuntimeKind } from './node-runtime';
import { createProcessRuntime } from './process';

export type NodeRuntimes = Readonly<Record<RuntimeKind, NodeRuntime>>;

/** Both runtimes. Making one touches nothing, so an engine need not be there. */
export function createNodeRuntimes(host: { stateDir: string; engine?: Docker }): NodeRuntimes {
  return {
    docker: createDockerRuntime({ engine: host.engine ?? connectEngine(), stateDir: host.stateDir }),
    process: createProcessRuntime({ stateDir: host.stateDir }),
  };
}

/** `auto` is docker where an engine answers, else process. */
export async function chooseRuntime(wish: RuntimeKind | 'auto', engine?: Docker): Promise<RuntimeKind> {
  if (wish !== 'auto') return wish;
  return (await engineAnswers(engine)) ? 'docker' : 'process';
}

export { connectEngine, engineAnswers } from './engine';
export { socketWithin } from './engine-socket';
export { createHostImages, imageHere, type HostImages } from './image-identity';
export { findMarker } from './markers';
export type { LogPiece, NodeRuntime, NodeSpec, RuntimeKind } from './node-runtime';
export { judge, withLog, type Verdict } from './outcome';
export type { Endpoint } from './relay-program';
export { findOutputs } from './outputs';
export { removeOwn } from './reclaim';
export { createPortLedger, findTaken, type PortLedger } from './ports';
