import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify } from '../../nodes/process-table';
import { endOrphans, publishRoster } from '../../dev/roster';
import { statePaths } from '../../dev/state';
import { useFolder } from '../support/folder';

const paths = statePaths(useFolder());
const processes = async () => JSON.parse(await readFile(paths.processes, 'utf8')) as unknown;

function idle(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  return child.pid!;
}

it('lists what runs, and nothing once it has ended', async () => {
  await publishRoster(paths, [{ name: 'api', pid: process.pid, address: 'http://127.0.0.1:7400' }]);
  expect(await processes()).toEqual([{ name: 'api', pid: process.pid, address: 'http://127.0.0.1:7400' }]);
  await publishRoster(paths, []);
  expect(await processes()).toEqual([]);
});

it('ends what a killed supervisor has left, and spares what is not its any more', async () => {
  const [orphan, stranger] = [idle(), idle()];
  const supervisor = spawn(process.execPath, ['-e', '']);
  const dead = await identify(supervisor.pid!);
  await once(supervisor, 'exit');
  await mkdir(paths.rosters, { recursive: true });
  await writeFile(
    join(paths.rosters, `${supervisor.pid}.json`),
    JSON.stringify({
      supervisor: dead,
      parts: [
        { name: 'minio', address: '127.0.0.1:9000', process: await identify(orphan) },
        // The pid of a part that has ended belongs to someone else by now.
        { name: 'api', address: 'http://127.0.0.1:7400', process: { pid: stranger, started: 'long ago' } },
      ],
    }),
  );
  await publishRoster(paths, [{ name: 'edge-worker:a', pid: process.pid, address: 'site.a' }]);
  expect(await endOrphans(paths)).toEqual([{ name: 'minio', pid: orphan, address: '127.0.0.1:9000' }]);
  expect(await identify(orphan)).toBeUndefined();
  expect(await identify(stranger)).toBeDefined();
  expect(await processes()).toEqual([{ name: 'edge-worker:a', pid: process.pid, address: 'site.a' }]);
  process.kill(stranger, 'SIGKILL');
});
