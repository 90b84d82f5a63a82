/** What the workers of a local stack hold of a run: all that has to be gone when nobody looks after it any more. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LaunchFolders } from '../../activities/shared/launch-folders';
import { statePaths } from '../../dev/state';
import { createProcessRuntime } from '../../nodes/process';

/** Nodes that are processes, folders and ports, each with the host that has it; marks and results are to stay. */
export async function held(state: string, sites: readonly string[], runId: string): Promise<string[]> {
  const paths = statePaths(state);
  const found = await Promise.all(
    [paths.central, ...sites.map(paths.site)].map((host) => heldAt(host, runId)),
  );
  return found.flat();
}

async function heldAt(host: string, runId: string): Promise<string[]> {
  const nodes = await createProcessRuntime({ stateDir: host }).list();
  const folders = await new LaunchFolders(host, '').list();
  const ledger = await readFile(join(host, 'ports.json'), 'utf8').catch(() => '');
  return [
    ...nodes.filter((node) => node.runId === runId).map(({ node }) => `${host} node ${node}`),
    ...folders
      .filter(({ ref, onlyMarkedSince }) => ref.runId === runId && onlyMarkedSince === undefined)
      .map(() => `${host} folder`),
    ...(ledger.includes(`"${runId}"`) ? [`${host} ports`] : []),
  ];
}
