import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify } from '../../nodes/process-table';
import { locked, tryLock } from '../../dev/lock';
import { useFolder } from '../support/folder';

const folder = useFolder();

it('belongs to one at a time, and says whose it is', async () => {
  const path = join(folder, 'one.lock');
  const claims = await Promise.all(Array.from({ length: 10 }, () => tryLock(path)));
  const owned = claims.filter((claim) => 'release' in claim);
  expect(owned).toHaveLength(1);
  expect(claims.filter((claim) => 'owner' in claim && claim.owner.pid === process.pid)).toHaveLength(9);
  await owned[0]!.release();
  expect('release' in (await tryLock(path))).toBe(true);
});

it('is free when its owner has died, also when the pid is given out again', async () => {
  const path = join(folder, 'stale.lock');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const owner = await identify(child.pid!);
  await writeFile(`${path}.1`, JSON.stringify(owner));
  expect(await tryLock(path)).toEqual({ owner });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const claims = await Promise.all(Array.from({ length: 10 }, () => tryLock(path)));
  expect(claims.filter((claim) => 'release' in claim)).toHaveLength(1);

  const reused = join(folder, 'reused.lock');
  await writeFile(`${reused}.7`, JSON.stringify({ pid: process.pid, started: 'long ago' }));
  expect('release' in (await tryLock(reused))).toBe(true);
});

it('is free when what it says makes no sense', async () => {
  const path = join(folder, 'broken.lock');
  await writeFile(`${path}.1`, '{"pid":');
  expect('release' in (await tryLock(path))).toBe(true);
});

it('lets one after the other do something, and leaves one small file', async () => {
  const path = join(folder, 'turns', 'lock');
  let inside = 0;
  const seen = await Promise.all(
    Array.from({ length: 5 }, () =>
      locked(path, async () => {
        const others = inside++;
        await identify(process.pid);
        inside--;
        return others;
      }),
    ),
  );
  expect(seen).toEqual([0, 0, 0, 0, 0]);
  expect(await readdir(join(folder, 'turns'))).toHaveLength(1);
});
