/**
 * Terminate in Temporal's Web UI leaves no one to clean up: the workers do it themselves, and touch nothing of the run
 * beside it.
 */
import { Client, Connection } from '@temporalio/client';
import { EDGE_RUN_WORKFLOW, RUN_WORKFLOW, edgeRunWorkflowId } from '../../workflows/contract';
import { Consortium } from '../support/consortium';
import { held as heldBy } from '../support/held';
import { ISLANDS, ISLAND_ARGUMENTS, PENGUINS } from '../support/penguins';

jest.setTimeout(300_000);

let consortium: Consortium;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  consortium = await Consortium.open([PENGUINS, ...ISLAND_ARGUMENTS, '--runtime', 'process']);
  const { address } = await consortium.muster.process('temporal');
  connection = await Connection.connect({ address });
  temporal = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

/** A run that stays up until somebody ends it. */
async function stayingRun(): Promise<string> {
  const [tried] = (await consortium.api.listConsortia()).consortia;
  const parameters = { pauseSeconds: 600 };
  const { runId } = await consortium.api.startRun({
    path: { consortiumId: tried!.id },
    body: { parameters },
  });
  await consortium.up(runId);
  return runId;
}

const held = (runId: string) => heldBy(consortium.muster.state, ISLANDS, runId);

/** The states of a run's workflows, its own first. */
async function workflows(runId: string): Promise<string[]> {
  const ids = [runId, ...ISLANDS.map((site) => edgeRunWorkflowId(runId, site))];
  const found = await Promise.all(ids.map((id) => temporal.workflow.getHandle(id).describe()));
  expect(found.map(({ type }) => type)).toEqual([RUN_WORKFLOW, ...ISLANDS.map(() => EDGE_RUN_WORKFLOW)]);
  return found.map(({ status }) => status.name);
}

it('nothing is left of terminated runs, and the run beside them goes on', async () => {
  const [whole, headless, beside] = await Promise.all([stayingRun(), stayingRun(), stayingRun()]);
  const before = await held(beside);
  // A node and a folder at each of the four hosts, and the central port.
  expect(before).toHaveLength(9);

  const sites = ISLANDS.map((site) => edgeRunWorkflowId(whole, site));
  for (const id of [whole, headless, ...sites]) await temporal.workflow.getHandle(id).terminate('enough');

  for (const runId of [whole, headless]) {
    await consortium.muster.until(`a host that holds nothing of ${runId}`, async () =>
      (await held(runId)).length === 0 ? true : undefined,
    );
    const { run, errors } = await consortium.ended(runId);
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.error?.message).toContain('terminated');
    // What was cleared away did not fail.
    expect(errors.filter(({ type }) => ['NodeExited', 'NodeLost'].includes(type))).toEqual([]);
  }
  expect(await workflows(whole)).toEqual(['TERMINATED', 'TERMINATED', 'TERMINATED', 'TERMINATED']);
  // The sites' own workflows, which nobody terminated, have seen their nodes stop, and ended.
  await consortium.muster.until('an end of the sites', async () =>
    (await workflows(headless)).includes('RUNNING') ? undefined : true,
  );
  expect(await workflows(headless)).toEqual(['TERMINATED', 'COMPLETED', 'COMPLETED', 'COMPLETED']);

  expect(await held(beside)).toEqual(before);
  const { nodes } = await consortium.api.getRun({ path: { runId: beside } });
  expect(nodes.map(({ state }) => state)).toEqual(Array(4).fill('running'));
  await consortium.api.stopRun({ path: { runId: beside } });
  expect((await consortium.ended(beside)).run.state).toBe('stopped');
});

it('a part that is terminated alone is told to its run, which does not wait for it', async () => {
  const runId = await stayingRun();
  const [site = ''] = ISLANDS;
  await temporal.workflow.getHandle(edgeRunWorkflowId(runId, site)).terminate('only here');
  const { run, nodes } = await consortium.ended(runId);
  expect(run.state).toBe('failed');
  expect(nodes.find(({ node }) => node === site)).toMatchObject({
    ...{ state: 'lost', error: { type: 'NodeLost' } },
  });
  await consortium.muster.until(`a host that holds nothing of ${runId}`, async () =>
    (await held(runId)).length === 0 ? true : undefined,
  );
});
