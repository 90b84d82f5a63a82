import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { askPs, identify, isGroupRunning, isRunning, signalGroup } from '../../nodes/process-table';
import { describeWithProgram } from '../support/needs-program';
import { until } from '../support/until';

test('ps, where there is no /proc, tells the same group and whether a process has ended', async () => {
  const [self] = await askPs(['-p', String(process.pid)]);
  expect(self).toEqual({
    pid: process.pid,
    group: expect.any(Number) as number,
    ended: false,
    started: expect.stringMatching(/^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}$/) as string,
  });
  expect((await askPs(['-A'])).some(({ pid }) => pid === process.pid)).toBe(true);
  expect(await askPs(['-p', '999999999'])).toEqual([]);
});

test('a process is itself only with the moment it started', async () => {
  const impostor = { pid: process.pid, started: 'some other time' };
  expect(await isRunning(impostor)).toBe(false);
  expect(await isGroupRunning(impostor)).toBe(false);
});

describeWithProgram(['python3', '--version'], 'a process of which only the first thread has ended', () => {
  const program = [
    'import ctypes, threading, time',
    'threading.Thread(target=lambda: time.sleep(60)).start()',
    'ctypes.CDLL(None).pthread_exit(None)',
  ].join('\n');

  test('is said to run until the last one has: until then its ports are taken', async () => {
    const child = spawn('python3', ['-c', program], { detached: true, stdio: 'ignore' });
    const pid = child.pid!;
    const leader = (await identify(pid))!;
    await until(async () => /\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')));
    const isSaidToRun = [await isRunning(leader), await isGroupRunning(leader)];
    signalGroup(leader, 'SIGKILL');
    expect(isSaidToRun).toEqual([true, true]);
    await until(async () => !(await isGroupRunning(leader)));
    expect(await identify(pid)).toBeUndefined();
  });
});
