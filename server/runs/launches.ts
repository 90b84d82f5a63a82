/**
 * Whether a launch is its node's current one (its run's, or of its site alone): who asks for an older launch's kit, or reports
 * for it, is refused.
 *
 * The row alone cannot tell. It is written by reports that come on their own time, so a site may well ask for the kit of
 * a launch that the row has not heard of yet, and must not be held up by that. What is certain is the object store: the
 * kits of a launch are published before anyone is told of it, and launches follow one another. So a launch that the row
 * does not know is the newer one if its kit was published later.
 */
import type { ObjectStore } from '../../storage/object-store';
import { kitKey } from '../../workflows/contract';
import { isTerminalRun } from '../../workflows/run-state';
import type { Database } from '../db/client';
import { HttpProblem } from '../problem';
import { lookUpNode, lookUpRun, type KnownRun } from './find-run';
import type { Runs } from './temporal';

export interface Launch {
  runId: string;
  launchId: string;
  node: string;
}

export interface Launches {
  /** @throws HttpProblem `launch-superseded`, or `run-ended` when the whole run has ended */
  mustBeCurrent(launch: Launch): Promise<void>;
  /** Whether Temporal has the run at work in an execution that the row has not heard of: the run was reset. */
  wasReset(run: { runId: string; execution: string }): Promise<boolean>;
  /** The launch that the run is at now; `undefined` when nobody can say. `row` is what is known of the run. */
  currentOf(runId: string, row: KnownRun | undefined): Promise<string | undefined>;
}

export function createLaunches(deps: {
  db: Database;
  temporal: Runs;
  objects: Pick<ObjectStore, 'stat'>;
}): Launches {
  const { db, temporal, objects } = deps;

  async function publishedAt({ runId, node }: Launch, launchId: string): Promise<number> {
    const kit = await objects.stat(kitKey(runId, launchId, node));
    return kit?.lastModified.getTime() ?? 0;
  }

  const wasReset: Launches['wasReset'] = async ({ runId, execution }) => {
    const condition = await temporal.describe(runId);
    return condition?.open === true && condition.execution !== execution;
  };

  return {
    wasReset,
    async currentOf(runId, row) {
      const isBehind = row?.launchId == null || (await wasReset(row));
      return isBehind ? temporal.currentLaunch(runId) : (row.launchId ?? undefined);
    },
    async mustBeCurrent(launch) {
      const { runId, launchId } = launch;
      const [row, ofNode] = await Promise.all([lookUpRun(db, runId), lookUpNode(db, runId, launch.node)]);
      const current = ofNode?.view.retry?.launchId ?? row?.launchId;
      if (row === undefined || current == null) return;
      if (current !== launchId) {
        const [asked, known] = await Promise.all([
          publishedAt(launch, launchId),
          publishedAt(launch, current),
        ]);
        if (asked >= known) return;
        throw new HttpProblem(
          'launch-superseded',
          `Launch ${launchId} of run ${runId} was followed by ${current}.`,
        );
      }
      if (isTerminalRun(row.state) && !(await wasReset(row)))
        throw new HttpProblem('run-ended', `Run ${runId} is ${row.state}.`);
    },
  };
}
