/**
 * RunWorkflow: one run from Start Run to its last report. Its work is done by a launch (launch.ts), and by another one if
 * it is reset; what it is given from outside is checked here.
 */
import { CancellationScope, condition, patched, workflowInfo } from '@temporalio/workflow';
import { CarriedRun, RunId, RunInput, type RunResult } from './contract';
import { failure } from './errors';
import { Launch, type Predecessor } from './launch';
import { problems } from './messages';
import { wasResetToBegin, watchForReset } from './reset';

/**
 * The run's input is its only argument; its id is the workflow id.
 * @param carried where it goes on from: given only to a history that follows another one
 */
export async function RunWorkflow(raw: unknown, carried?: unknown): Promise<RunResult> {
  const runId = RunId.safeParse(workflowInfo().workflowId);
  if (!runId.success)
    throw failure('InvalidRunInput', `the workflow id is the run id: ${problems(runId.error)}`);
  const input = RunInput.safeParse(raw);
  if (!input.success) throw failure('InvalidRunInput', problems(input.error));
  const goesOn = workflowInfo().continuedFromExecutionRunId !== undefined && !wasResetToBegin();
  const from = goesOn ? CarriedRun.parse(carried) : undefined;
  // A request to cancel is a request to stop: the run ends as cancelled, but only after everything of it is down.
  const asked = CancellationScope.current();
  return CancellationScope.nonCancellable(() => launchUntilDone(runId.data, input.data, asked, from));
}

/**
 * One launch, and another one whenever the run is reset, or someone asks for one: wherever the run was, what was there
 * before is not gone on with.
 */
async function launchUntilDone(
  runId: string,
  input: RunInput,
  asked: CancellationScope,
  underWay: CarriedRun | undefined,
): Promise<RunResult> {
  let takesOver: Predecessor | undefined;
  for (let carried = underWay; ; carried = undefined) {
    const isSuperseded = watchForReset();
    const scope = new CancellationScope({ cancellable: true });
    // A run is cancelled once; that concerned the launch that there was then.
    const cancelRequested = asked.consideredCancelled ? undefined : asked.cancelRequested;
    const launch = new Launch({ runId, input, isSuperseded, cancelRequested, carried, takesOver });
    const ended = scope.run(() => launch.execute());
    await Promise.race([ended.catch(() => undefined), condition(isSuperseded)]);
    takesOver = undefined;
    if (!isSuperseded() || !patched('a-reset-launches-anew')) {
      const end = await ended;
      if ('status' in end) return end;
      takesOver = end;
    }
    // Its nodes are ended by the steps of the launch that follows.
    scope.cancel();
  }
}
