/** Runs that are retried while they are under way, from the terminal. */
import { readFileSync } from 'node:fs';
import type { RunDetail } from '../../workflows/api-contract';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { Patient } from '../support/patient';
import { MusterProcess } from '../support/try';

jest.setTimeout(240_000);

const patient = new Patient(useFolder(), ['a', 'b'], {
  failure: { onSiteFailure: 'continue', minSites: 1, mayReturn: true },
});
let consortium: Consortium;
let consortiumId: string;

beforeAll(async () => {
  consortium = await patient.open();
  consortiumId = (await consortium.api.listConsortia()).consortia[0]!.id;
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

/** `muster run retry`, which goes on to the end of the run. */
const retry = (runId: string, ...how: string[]) =>
  MusterProcess.start(['run', 'retry', runId, ...how], { state: consortium.muster.state });
const nodeOf = ({ nodes }: RunDetail, name: string) => nodes.find(({ node }) => node === name)!;
const pidOf = (detail: RunDetail, name: string) =>
  Number(nodeOf(detail, name).containerId?.match(/\d+/)?.[0]);

it('a site whose node has failed is retried alone: the others are not touched', async () => {
  patient.mayGo(false);
  patient.fails('b', true);
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  const before = await consortium.until(
    runId,
    (detail) => nodeOf(detail, 'b').state === 'failed' && nodeOf(detail, 'a').state === 'running',
  );
  patient.fails('b', false);
  const command = await retry(runId, '--site', 'b', '--reason', 'the disk has room again');
  const up = await consortium.up(runId);
  for (const node of ['central', 'a']) {
    expect(pidOf(up, node)).toBe(pidOf(before, node));
    expect(isThere(pidOf(up, node))).toBe(true);
  }
  expect(nodeOf(up, 'b').retry).toMatchObject({ reason: 'the disk has room again' });
  patient.mayGo(true);
  const { run, attempts, errors } = await consortium.ended(runId);
  expect(errors).toMatchObject([{ node: 'b', type: 'NodeExited', launchId: run.launchId }]);
  expect(run).toMatchObject({ state: 'complete', launchId: before.run.launchId });
  expect(run.without).toBeUndefined();
  expect(attempts).toMatchObject([
    { how: 'start', state: 'complete' },
    { how: 'retry', from: 'sites', node: 'b', state: 'complete', reason: 'the disk has room again' },
  ]);
  expect(await command.exited).toBe(0);
});

it('all nodes are launched anew with the kits that there are, and the same ports', async () => {
  patient.mayGo(false);
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  const before = await consortium.up(runId);
  const command = await retry(runId, '--from', 'launch');
  const after = await consortium.until(
    runId,
    ({ run, nodes }) =>
      run.launchId !== before.run.launchId && nodes.every(({ state }) => state === 'running'),
  );
  for (const node of ['central', 'a', 'b']) {
    expect(isThere(pidOf(before, node))).toBe(false);
    expect(isThere(pidOf(after, node))).toBe(true);
  }
  patient.mayGo(true);
  const { run, attempts, errors } = await consortium.ended(runId);
  expect(run.state).toBe('complete');
  expect(errors).toEqual([]);
  expect(attempts).toMatchObject([
    { launchId: before.run.launchId, how: 'start', state: 'stopped' },
    { launchId: run.launchId, how: 'retry', from: 'launch', state: 'complete' },
  ]);
  expect(await command.exited).toBe(0);
});

it('says in one line why a run cannot be retried so, and what to do instead', async () => {
  patient.mayGo(true);
  patient.fails('central', true);
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  await consortium.ended(runId);
  const command = await retry(runId, '--from', 'launch');
  expect(await command.exited).toBe(1);
  expect(command.stderr).toMatch(/^error: .*is failed: its kits are gone\. Retry it from provision\.\n$/);
  patient.fails('central', false);
  const wrong = await retry(runId, '--from', 'launch', '--site', 'a');
  expect(await wrong.exited).toBe(2);
  expect(await (await retry(runId)).exited).toBe(0);
});

function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
