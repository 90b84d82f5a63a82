/**
 * superviseNode: watches a node until it ends and tells how. It attaches to what is there, so a worker that was killed
 * and restarted watches on; a worker that shuts down leaves the node running.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { findMarker, findOutputs, judge } from '../../nodes';
import { CENTRAL_NODE, type NodeOutcome, type NodeRef, type SuperviseInput } from '../../workflows/contract';
import type { NodeHost } from './host';

/** Enough of a log to see why something failed. */
const LOG_LINES = 20;

export function createSuperviseNode(host: NodeHost) {
  return async function superviseNode({ computation, ...ref }: SuperviseInput): Promise<NodeOutcome> {
    const { runtime: kind = 'process' } = await host.folders.readRecord(ref);
    const runtime = host.runtimes[kind];
    const condition = await runtime.wait(ref, Context.current().cancellationSignal);
    const folder = host.folders.output(ref);
    const declared = ref.node === CENTRAL_NODE ? computation.outputs.central : computation.outputs.edge;
    const logTail = await runtime.logs(ref, LOG_LINES);
    const [{ files, missing }, marker] = await Promise.all([
      findOutputs(folder, declared),
      findMarker(folder, logTail),
    ]);
    const { logs } = await host.policy();
    const verdict = judge({ condition, files, missing, marker, logTail, logs });
    if (verdict.ok) return verdict.outcome;
    const { stoppedRunning = false } = await host.folders.readRecord(ref);
    throw ApplicationFailure.create({
      type: verdict.type,
      message: verdict.message,
      nonRetryable: true,
      details: [{ ...nodeOf(ref), exitCode: verdict.exitCode }],
      // A stop that was asked for is no error: how the node took it is for the run to know, and for nobody to mend.
      ...(stoppedRunning && { category: ApplicationFailureCategory.BENIGN }),
    });
  };
}

const nodeOf = ({ runId, launchId, node }: NodeRef): NodeRef => ({ runId, launchId, node });
