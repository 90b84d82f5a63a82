/**
 * Ends the nodes that a stack's workers have left running. Workers leave them to whoever comes next; when the whole
 * stack ends, nobody does.
 */
import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';
import { createNodeRuntimes, engineAnswers, type NodeRuntime } from '../nodes';
import { nodeOf } from '../nodes/container';
import { connectEngine } from '../nodes/engine';
import { LABEL_RUN, type NodeRef } from '../workflows/contract';
import type { StatePaths } from './state';

const GRACE_MS = 5_000;

/** Ends every process and container that holds folders of this stack, and answers with their runs. */
export async function endNodes(paths: StatePaths): Promise<string[]> {
  const sites = await readdir(paths.sites).catch(() => []);
  const stateDirs = [paths.central, ...sites.map(paths.site)];
  const ended = await Promise.all([...stateDirs.map(endProcesses), endContainers(paths)]);
  return [...new Set(ended.flat().map(({ runId }) => runId))];
}

async function endProcesses(stateDir: string): Promise<NodeRef[]> {
  const runtime = createNodeRuntimes({ stateDir }).process;
  return endAll(runtime, await runtime.list());
}

async function endContainers({ root }: StatePaths): Promise<NodeRef[]> {
  const engine = connectEngine();
  if (!(await engineAnswers(engine))) return [];
  const containers = await engine.listContainers({ filters: { label: [LABEL_RUN] } });
  const ours = containers.filter(({ Mounts }) => Mounts.some(({ Source }) => Source.startsWith(root + sep)));
  const nodes = ours.map(({ Labels }) => nodeOf(Labels)).filter((node) => node !== undefined);
  return endAll(createNodeRuntimes({ stateDir: root, engine }).docker, nodes);
}

/** Ends those that run, and answers with them. */
async function endAll(runtime: NodeRuntime, nodes: readonly NodeRef[]): Promise<NodeRef[]> {
  const stopped = await Promise.all(nodes.map((node) => runtime.stop(node, GRACE_MS)));
  return nodes.filter((_, index) => stopped[index]?.wasRunning);
}
