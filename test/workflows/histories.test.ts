/** Runs that were recorded with earlier workflow code must still replay with today's. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { workflowBundle } from '../support/replay';
import { testHistories } from '../support/sealed';

const folder = join(__dirname, '../histories');
const recorded = readdirSync(folder).filter((name) => name.endsWith('.json'));

it('there are recorded histories', () => {
  expect(recorded.length).toBeGreaterThan(0);
});

it.each(recorded)('%s replays', async (name) => {
  const history = historyFromJSON(JSON.parse(readFileSync(join(folder, name), 'utf8')));
  await expect(
    Worker.runReplayHistory({ workflowBundle: workflowBundle(), dataConverter: testHistories }, history),
  ).resolves.toBeUndefined();
});
