/**
 * Ends the nodes that a stack's workers have left running. Workers leave them to whoever comes next; when the whole
 * stack ends, nobody does.
 */
import { readdir } from 'node:fs/promises';
import { connectEngine, createNodeRuntimes, engineAnswers, type NodeRuntime } from '../nodes';
import type { NodeRef } from '../workflows/contract';
import type { StatePaths } from './state';

const GRACE_MS = 5_000;

/** Ends every process and container of this stack's workers, and answers with their runs. */
export async function endNodes(paths: StatePaths): Promise<string[]> {
  const sites = await readdir(paths.sites).catch(() => []);
  const stateDirs = [paths.central, ...sites.map(paths.site)];
  const engine = connectEngine();
  const hasEngine = await engineAnswers(engine);
  const runtimes = stateDirs.flatMap((stateDir) => {
    const { process, docker } = createNodeRuntimes({ stateDir, engine });
    return hasEngine ? [process, docker] : [process];
  });
  const ended = await Promise.all(runtimes.map(endAll));
  return [...new Set(ended.flat().map(({ runId }) => runId))];
}

/** Ends those that run, and answers with them. */
async function endAll(runtime: NodeRuntime): Promise<NodeRef[]> {
  const nodes = await runtime.list();
  const stopped = await Promise.all(nodes.map((node) => runtime.stop(node, GRACE_MS)));
  return nodes.filter((_, index) => stopped[index]?.wasRunning);
}
