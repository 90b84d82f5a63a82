import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify } from '../../nodes/process-table';
import type { Part } from '../../dev/part';
import { freePort } from '../../dev/ports';
import { listens, logs } from '../../dev/readiness';
import type { Entry } from '../../dev/roster';
import { Supervisor } from '../../dev/supervisor';
import { useFolder } from '../support/folder';
import { until } from '../support/until';

const folder = useFolder();
const forever = new AbortController().signal;

let said: string[];
let entries: readonly Entry[];
let supervisor: Supervisor;
beforeEach(() => {
  said = [];
  entries = [];
  supervisor = new Supervisor({
    say: (line) => said.push(line),
    changed: (now) => {
      entries = now;
      return Promise.resolve();
    },
  });
});
afterEach(() => supervisor.stopAll());

function part(name: string, script: string, ready: Part['ready'] = logs('ready')): Part {
  const command = [process.execPath, '-e', script] as const;
  return { name, command, env: {}, address: name, logFile: join(folder, `${name}.log`), ready };
}

const READY = `console.log(JSON.stringify({ msg: 'ready' })); setInterval(() => {}, 1000);`;
const pidOf = (name: string) => entries.find((entry) => entry.name === name)?.pid;
const isGone = async (pid: number) => (await identify(pid)) === undefined;

it('waits until a part serves', async () => {
  const port = await freePort(['127.0.0.1']);
  const script = `setTimeout(() => require('net').createServer().listen(${port}, '127.0.0.1'), 100)`;
  await supervisor.start(part('server', script, listens('127.0.0.1', port)), forever);
  await expect(freePort(['127.0.0.1'], [port])).resolves.not.toBe(port);
});

it('starts a part again that was killed, and says which one and why', async () => {
  await supervisor.start(part('worker', READY), forever);
  const first = pidOf('worker')!;
  process.kill(first, 'SIGKILL');
  await until(() => said.includes('worker is up again'));
  expect(said[0]).toMatch(/^worker ended \(SIGKILL.*\); starting it again in 200 ms$/);
  expect(pidOf('worker')).not.toBe(first);
  expect(await isGone(first)).toBe(true);
});

it('waits longer each time for a part that does not stay up, and tells its last words', async () => {
  const mark = join(folder, 'mark');
  const script = `if (require('fs').existsSync(${JSON.stringify(mark)})) {
      console.log(JSON.stringify({ msg: 'no use', err: { message: 'the disk is full' } }));
      process.exit(3);
    }
    require('fs').writeFileSync(${JSON.stringify(mark)}, ''); ${READY}`;
  await supervisor.start(part('flaky', script), forever);
  process.kill(pidOf('flaky')!, 'SIGKILL');
  await until(() => said.length >= 3);
  expect(said.slice(1, 3)).toEqual([
    'flaky ended (exit code 3: no use: the disk is full); starting it again in 400 ms',
    'flaky ended (exit code 3: no use: the disk is full); starting it again in 800 ms',
  ]);
});

it('rejects with the last words of a part that ends before it is ready, and does not start it again', async () => {
  const script = `console.log('first'); console.error('port 1 is taken'); process.exit(2)`;
  await expect(supervisor.start(part('broken', script), forever)).rejects.toThrow(
    /^broken did not start: exit code 2: port 1 is taken; see .*broken\.log$/,
  );
  expect(entries).toEqual([]);
});

it('names a program that does not exist', async () => {
  const missing: Part = { ...part('missing', ''), command: [join(folder, 'nothing')] };
  await expect(supervisor.start(missing, forever)).rejects.toThrow(/ENOENT/);
});

it('leaves nothing of a part whose start is given up', async () => {
  const givenUp = new AbortController();
  const starting = supervisor.start(part('slow', `setInterval(() => {}, 1000)`), givenUp.signal);
  await until(() => pidOf('slow') !== undefined);
  const pid = pidOf('slow')!;
  givenUp.abort(new Error('given up'));
  await expect(starting).rejects.toThrow('given up');
  expect(await isGone(pid)).toBe(true);
  expect(entries).toEqual([]);
});

it('stops the last part first, and with a part all that it has started', async () => {
  const record = join(folder, 'order');
  const noting = (name: string) => `
    process.on('SIGTERM', () => { require('fs').appendFileSync(${JSON.stringify(record)}, '${name} '); process.exit(); });
    ${READY}`;
  const child = join(folder, 'child');
  const parent = `
    const child = require('child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)']);
    require('fs').writeFileSync(${JSON.stringify(child)}, String(child.pid));
    ${noting('second')}`;
  await supervisor.start(part('first', noting('first')), forever);
  await supervisor.start(part('second', parent), forever);
  const childPid = Number(await readFile(child, 'utf8'));
  expect(await isGone(childPid)).toBe(false);
  await supervisor.stopAll();
  expect(await readFile(record, 'utf8')).toBe('second first ');
  await until(() => isGone(childPid));
  expect(entries).toEqual([]);
});

it('does not start a part again once it is to stop', async () => {
  await supervisor.start(part('worker', READY), forever);
  process.kill(pidOf('worker')!, 'SIGKILL');
  await until(() => said.length > 0);
  await supervisor.stopAll();
  expect(entries).toEqual([]);
  expect(said).toHaveLength(1);
});

it('keeps what a part writes in its log, of all its starts', async () => {
  const one = part('talker', `console.log('pid ' + process.pid); ${READY}`);
  await supervisor.start(one, forever);
  const first = pidOf('talker')!;
  process.kill(first, 'SIGKILL');
  await until(() => said.includes('talker is up again'));
  const log = await readFile(one.logFile, 'utf8');
  expect(log).toContain(`pid ${first}\n`);
  expect(log).toContain(`pid ${pidOf('talker')}\n`);
});
