/** The main job: one command brings a federated run up on real data, and it finds what the pooled data would say. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApi } from '../../cli/api-access';
import { downloadResults } from '../../cli/run-results';
import { describeWithEngine } from '../nodes/needs-engine';
import { replayAll } from '../support/consortium';
import { useFolder } from '../support/folder';
import { ISLANDS, globalFit } from '../support/penguins';
import { MusterProcess } from '../support/try';

jest.setTimeout(300_000);

const state = useFolder();

async function demo(runtime: 'process' | 'docker'): Promise<void> {
  const muster = await MusterProcess.start(['demo', '--once', '--json', '--runtime', runtime]);
  try {
    const result = await muster.result();
    expect(result).toMatchObject({ status: 'complete', errors: [] });
    expect(await muster.exited).toBe(0);
    expect(Object.keys(result.outputs.sites)).toEqual(ISLANDS);
    for (const output of [result.outputs.central, ...Object.values(result.outputs.sites)]) {
      const fit = globalFit(output);
      expect(fit.n).toBe(342);
      expect(Math.abs(fit.intercept - -5780.8313581)).toBeLessThan(1e-6);
      expect(Math.abs(fit.slope - 49.6855664)).toBeLessThan(1e-6);
    }
    expect(await muster.leftovers()).toEqual([]);
    await afterwards(muster.state, async (again) => {
      expect(await replayAll(again)).toEqual([]);
      await downloadAll(again.state, result.runId);
    });
  } finally {
    await muster.end();
  }
}

/** The stack has ended with its run: another one on the same state knows its histories and has its results. */
async function afterwards(state: string, look: (muster: MusterProcess) => Promise<void>): Promise<void> {
  const muster = await MusterProcess.start(['dev'], { state });
  try {
    // Said once every part is up, and only then are commands led to the stack.
    await muster.says(/#token=/);
    await look(muster);
  } finally {
    await muster.end();
  }
}

/** As `muster run results --out` does; the store that they are in is reached by TLS. */
async function downloadAll(state: string, runId: string): Promise<void> {
  const api = await openApi({ state });
  const { results } = await api.listResults({ path: { runId } });
  expect(results.map(({ url }) => new URL(url).protocol)).toEqual(results.map(() => 'https:'));
  const open = (name: string) => api.openResult(runId, name);
  await downloadResults(results, join(state, 'downloaded'), { open, say: () => undefined });
  expect(globalFit(join(state, 'downloaded')).n).toBe(342);
}

it('muster demo finds the coefficients of the pooled data at every site, and leaves no process', () =>
  demo('process'));

it('muster demo that cannot write what a site allows says so in one line, and stops what it started', async () => {
  writeFileSync(join(state, 'sites'), 'a file, and no folder');
  const muster = await MusterProcess.start(['demo', '--once', '--runtime', 'process'], { state });
  try {
    expect(await muster.exited).toBe(1);
    expect(muster.stderr).toMatch(/^error: .*\/sites\/.*\n$/);
    expect(await muster.processes()).toEqual([]);
    expect(await muster.leftovers()).toEqual([]);
  } finally {
    await muster.end();
  }
});

describeWithEngine('with Docker', () => {
  it('muster demo does the same in containers', () => demo('docker'));
});
