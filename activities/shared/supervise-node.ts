/**
 * superviseNode: watches a node until it ends and tells how. It attaches to what is there, so a worker that was killed
 * and restarted watches on; a worker that shuts down leaves the node running.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { findMarker, findOutputs, judge, type NodeRuntime, type Verdict } from '../../nodes';
import { CENTRAL_NODE, type NodeOutcome, type NodeRef, type SuperviseInput } from '../../workflows/contract';
import type { NodeHost } from './host';
import type { NodeLogs } from './node-logs';

/** Enough of a log to see why something failed. */
const LOG_LINES = 20;

export function createSuperviseNode(host: NodeHost, logs: NodeLogs) {
  return async function superviseNode({ computation, ...ref }: SuperviseInput): Promise<NodeOutcome> {
    const { runtime: kind } = await host.folders.readRecord(ref);
    const runtime = host.runtimes[kind ?? 'process'];
    const { cancellationSignal, log } = Context.current();
    // Of a launch that this host knows nothing of there is nothing to keep.
    const watched = kind && logs.watch(nodeOf(ref), runtime, cancellationSignal, log);
    try {
      const condition = await runtime.wait(ref, cancellationSignal);
      const verdict = await verdictOn(host, ref, computation, runtime, condition);
      const { stoppedRunning = false } = await host.folders.readRecord(ref);
      const end = verdict.ok ? 'succeeded' : stoppedRunning ? 'stopped' : 'failed';
      await watched?.finish(end, cancellationSignal);
      if (verdict.ok) return verdict.outcome;
      const { type, message, exitCode, endedAt, origin, scope } = verdict;
      throw ApplicationFailure.create({
        type,
        message,
        nonRetryable: true,
        details: [{ ...nodeOf(ref), exitCode, endedAt, origin, scope }],
        // A stop that was asked for is no error: how the node took it is for the run to know, and for nobody to mend.
        ...(stoppedRunning && { category: ApplicationFailureCategory.BENIGN }),
      });
    } finally {
      await watched?.leave();
    }
  };
}

/** How the node ended, in as many words as may leave this host. */
async function verdictOn(
  host: NodeHost,
  ref: NodeRef,
  { outputs }: SuperviseInput['computation'],
  runtime: NodeRuntime,
  condition: Awaited<ReturnType<NodeRuntime['wait']>>,
): Promise<Verdict> {
  const folder = host.folders.output(ref);
  const declared = ref.node === CENTRAL_NODE ? outputs.central : outputs.edge;
  const logTail = await runtime.logs(ref, LOG_LINES);
  const [{ files, missing }, marker] = await Promise.all([
    findOutputs(folder, declared),
    findMarker(folder, logTail),
  ]);
  const { logs, results } = await host.policy();
  const listed = results === 'listed' ? files : [];
  return judge({ condition, files: listed, missing, marker, logTail, logs });
}

const nodeOf = ({ runId, launchId, node }: NodeRef): NodeRef => ({ runId, launchId, node });
