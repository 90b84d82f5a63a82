import { readdir } from 'node:fs/promises';
import Docker from 'dockerode';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseRuntime, createNodeRuntimes, engineAnswers } from '../../nodes';
import { describeWithEngine } from './needs-engine';

const absent = new Docker({ socketPath: '/no/such/engine.sock' });

test('without an engine, auto is process, and what was asked for by name stays', async () => {
  expect(await engineAnswers(absent)).toBe(false);
  expect(await chooseRuntime('auto', absent)).toBe('process');
  expect(await chooseRuntime('docker', absent)).toBe('docker');
  expect(await chooseRuntime('process', absent)).toBe('process');
});

test('making the runtimes touches nothing', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'muster-runtimes-'));
  const { docker, process } = createNodeRuntimes({ stateDir, engine: absent });
  expect([docker.kind, process.kind]).toEqual(['docker', 'process']);
  expect(await readdir(stateDir)).toEqual([]);
  expect(await process.list()).toEqual([]);
  await rm(stateDir, { recursive: true });
});

describeWithEngine('with an engine', () => {
  test('auto is docker', async () => {
    expect(await engineAnswers()).toBe(true);
    expect(await chooseRuntime('auto')).toBe('docker');
  });
});
