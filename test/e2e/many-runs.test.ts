/** Many runs at once on one host: each has nodes, ports and results of its own, and leaves nothing. */
import { join } from 'node:path';
import { statePaths } from '../../dev/state';
import { createPortLedger } from '../../nodes';
import type { RunDetail } from '../../workflows/api-contract';
import { CENTRAL_NODE } from '../../workflows/contract';
import { Consortium } from '../support/consortium';
import { held } from '../support/held';
import { ISLANDS, PENGUINS, globalFit } from '../support/penguins';

jest.setTimeout(300_000);

const RUNS = 10;
const SITES = ['a', 'b', 'c', 'd', 'e'];
const PREDICTORS = ['flipper_length_mm', 'bill_length_mm', 'bill_depth_mm'];
/** Long enough for all runs to be up together. */
const PAUSE_SECONDS = 15;

let consortium: Consortium;

beforeAll(async () => {
  const data = join(PENGUINS, '..', 'data');
  const sites = SITES.flatMap((site, index) => [
    '--site',
    `${site}=${join(data, ISLANDS[index % ISLANDS.length]!)}`,
  ]);
  consortium = await Consortium.open([PENGUINS, ...sites, '--runtime', 'process']);
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

interface Run {
  predictor: string;
  detail: RunDetail;
  ports: number[];
}

async function completeRun(consortiumId: string, index: number): Promise<Run> {
  const predictor = PREDICTORS[index % PREDICTORS.length]!;
  const parameters = { predictor, pauseSeconds: PAUSE_SECONDS };
  const { runId } = await consortium.api.startRun({ path: { consortiumId }, body: { parameters } });
  await consortium.until(runId, ({ nodes }) =>
    nodes.some(({ node, state }) => node === CENTRAL_NODE && state === 'running'),
  );
  const ports = await reservedFor(runId);
  return { predictor, detail: await consortium.ended(runId), ports };
}

async function reservedFor(runId: string): Promise<number[]> {
  const file = join(statePaths(consortium.muster.state).central, 'ports.json');
  const reservations = await createPortLedger({ file, range: { first: 1, last: 1 } }).list();
  return reservations.filter((one) => one.runId === runId).flatMap(({ ports }) => ports);
}

/** The fit that each node of a run came to. */
function fitsOf({ run: { runId, launchId = '' } }: RunDetail) {
  const paths = statePaths(consortium.muster.state);
  const folders = [paths.centralResults, ...SITES.map(paths.siteResults)];
  return folders.map((folder) => globalFit(join(folder, runId, launchId)));
}

const distinct = (values: readonly unknown[]) => new Set(values).size;

it('ten runs at once, of five sites each, complete with nodes, ports and results of their own', async () => {
  const [tried] = (await consortium.api.listConsortia()).consortia;
  const runs = await Promise.all(Array.from({ length: RUNS }, (_, index) => completeRun(tried!.id, index)));

  for (const { detail } of runs) {
    expect(detail.run.state).toBe('complete');
    expect(detail.errors).toEqual([]);
    expect(detail.nodes.map(({ node, state }) => [node, state])).toEqual(
      [CENTRAL_NODE, ...SITES].map((node) => [node, 'complete']),
    );
    await consortium.muster.until('an end of what is held', async () =>
      (await held(consortium.muster.state, SITES, detail.run.runId)).length === 0 ? true : undefined,
    );
  }
  const nodes = runs.flatMap(({ detail }) => detail.nodes);
  expect(distinct(nodes.map(({ containerId }) => containerId))).toBe(RUNS * (SITES.length + 1));
  expect(distinct(runs.flatMap(({ ports }) => ports))).toBe(RUNS);

  const slopes = new Map<string, number>();
  for (const { predictor, detail } of runs) {
    const fits = fitsOf(detail);
    // Every node of a run came to the same, and so did every run that asked the same.
    expect(distinct(fits.map((fit) => JSON.stringify(fit)))).toBe(1);
    const { slope } = fits[0]!;
    expect(slopes.get(predictor) ?? slope).toBe(slope);
    slopes.set(predictor, slope);
    const keys = detail.run.results?.map(({ key }) => key) ?? [];
    expect(keys).toContain(`runs/${detail.run.runId}/${detail.run.launchId}/results/central/global_fit.json`);
  }
  expect(distinct([...slopes.values()])).toBe(PREDICTORS.length);
});
