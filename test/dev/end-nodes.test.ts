import { resolve } from 'node:path';
import { connectEngine, createNodeRuntimes } from '../../nodes';
import { ensureImage } from '../../nodes/image';
import { endNodes } from '../../dev/end-nodes';
import { statePaths } from '../../dev/state';
import { describeWithEngine } from '../nodes/needs-engine';
import { Bench } from '../nodes/support';
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

describeWithEngine('nodes in containers', () => {
  const engine = connectEngine();
  let image: string;
  let bench: Bench;
  const runtimes = [paths.central, paths.site('a')].map(
    (stateDir) => createNodeRuntimes({ stateDir, engine }).docker,
  );
  beforeAll(async () => {
    image = await ensureImage({ engine, image: 'muster/test-node:1', folder: resolve('test/nodes/image') });
    bench = await Bench.open({ image });
  }, 300_000);
  afterAll(() => Promise.all(runtimes.map((runtime) => bench.close(runtime))));

  it('are ended as well, and of what belongs to them nothing runs either', async () => {
    const specs = [
      await bench.node('setInterval(() => {}, 1000)', { node: 'central' }),
      await bench.node('setInterval(() => {}, 1000)', {
        node: 'a',
        reach: [{ host: 'example.org', port: 1 }],
      }),
    ];
    for (const [index, runtime] of runtimes.entries()) await runtime.ensure(specs[index]!);
    const filters = { label: [`io.muster.run=${bench.runId}`] };
    expect(await engine.listContainers({ filters })).toHaveLength(3);
    expect(await endNodes(paths)).toEqual([bench.runId]);
    expect(await engine.listContainers({ filters })).toEqual([]);
    for (const [index, runtime] of runtimes.entries())
      expect(await runtime.inspect(specs[index]!)).toMatchObject({ state: 'exited' });
    expect(await endNodes(paths)).toEqual([]);
  });
});
