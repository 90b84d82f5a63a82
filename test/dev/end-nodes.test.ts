import { createNodeRuntimes } from '../../nodes';
import { endNodes } from '../../dev/end-nodes';
import { statePaths } from '../../dev/state';
import { useFolder } from '../support/folder';

const folder = useFolder();
const paths = statePaths(folder);

it('ends the nodes of the central host and of every site, and says of which runs they were', async () => {
  const command = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
  const common = { launchId: 'abcdefghijkl', command, folder, folders: {}, ports: [], env: {} };
  const resources = { cpus: 1, memory: '256Mi', pids: 16, shm: '16Mi', gpus: 0 };
  const hosts = [paths.central, paths.site('a')];
  const runtimes = hosts.map((stateDir) => createNodeRuntimes({ stateDir }).process);
  for (const [index, runtime] of runtimes.entries()) {
    await runtime.ensure({ ...common, resources, runId: `run-${index}`, node: 'central' });
  }
  expect(await endNodes(paths)).toEqual(['run-0', 'run-1']);
  for (const [index, runtime] of runtimes.entries()) {
    const ref = { runId: `run-${index}`, launchId: common.launchId, node: 'central' };
    expect(await runtime.inspect(ref)).toMatchObject({ state: 'exited' });
  }
  expect(await endNodes(paths)).toEqual([]);
});
