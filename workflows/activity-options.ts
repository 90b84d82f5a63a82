/**
 * How long every activity may take and how it is retried, with the reason beside each choice. One proxy per class of
 * failure, not one per activity.
 */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import {
  CENTRAL_QUEUE,
  siteQueue,
  toMilliseconds,
  type Computation,
  type Duration,
  type Windows,
} from './contract';
import { endlessRetry, retryFor } from './retry';

/**
 * Workers heartbeat every second or two for every activity that can take over five seconds. Ten seconds of silence is a
 * dead worker, not a slow one; the server then gives the activity to whoever polls the queue next.
 */
const heartbeatTimeout = '10s';

/** Over the limit that the activity keeps for itself, so that its own, clearer error comes first. */
const MARGIN_MS = 60_000;

/** The image of a computation can be gigabytes, and the deadlines of its nodes count from when they have it. */
const PULL_MS = 1_800_000;

/** provisionProject: ends by its own deadline; what it leaves is found and finished by the next attempt. */
export function provisioning({ deadlines }: Computation, windows: Windows): ActivityOptions {
  return {
    taskQueue: CENTRAL_QUEUE,
    startToCloseTimeout: toMilliseconds(deadlines.provision) + PULL_MS + MARGIN_MS,
    heartbeatTimeout,
    retry: retryFor(windows.retry),
    // A stop waits until the provisioning node is really gone.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  };
}

/** publishRunKits, collectResults: as long as gigabytes take on a slow disk. */
export function transferring(taskQueue: string, windows: Windows): ActivityOptions {
  return { taskQueue, startToCloseTimeout: '2h', heartbeatTimeout, retry: retryFor(windows.retry) };
}

/**
 * fetchRunKit: a site may be offline when the run starts, so it waits in the queue as long as the computation lets a
 * site come up, and only then counts as silent.
 */
export function fetching(
  siteId: string,
  { deadlines }: Pick<Computation, 'deadlines'>,
  windows: Windows,
): ActivityOptions {
  return { ...transferring(siteQueue(siteId), windows), scheduleToStartTimeout: deadlines.start };
}

/** launchCentralNode, launchEdgeNode: seconds with a busy engine; an attempt that hangs is given up and made again. */
export function launching(taskQueue: string, windows: Windows): ActivityOptions {
  return { taskQueue, startToCloseTimeout: '5m', heartbeatTimeout, retry: retryFor(windows.retry) };
}

/**
 * superviseNode: as long as the node may run. A worker that dies is replaced by its next start for as long as a site may
 * be silent; its own failures are final and everything else is attached to again.
 */
export function supervising(
  taskQueue: string,
  { deadlines }: Pick<Computation, 'deadlines'>,
  windows: Windows,
): ActivityOptions {
  return {
    taskQueue,
    scheduleToStartTimeout: windows.lostAfter,
    startToCloseTimeout: toMilliseconds(deadlines.run) + MARGIN_MS,
    heartbeatTimeout,
    // The first retry comes soon: a restarted worker is usually back in a second.
    retry: { ...endlessRetry, maximumInterval: '5s' },
  };
}

/** stopNode: right to do however late it comes, so it is retried without end. */
export function stopping(taskQueue: string, grace: Duration): ActivityOptions {
  return {
    taskQueue,
    startToCloseTimeout: toMilliseconds(grace) + MARGIN_MS,
    heartbeatTimeout,
    retry: { ...endlessRetry, maximumInterval: '5s' },
  };
}

/** releaseLaunch: removes folders and containers; like a stop, never too late. */
export function releasing(taskQueue: string): ActivityOptions {
  return { taskQueue, startToCloseTimeout: '5m', heartbeatTimeout, retry: endlessRetry };
}

/** Reports to the central API, signals to sites: short calls that succeed once the other side is back. */
export const reporting: ActivityOptions = {
  taskQueue: CENTRAL_QUEUE,
  startToCloseTimeout: '30s',
  // An API that is being restarted is back in a second or two; the page should not lag behind longer than that.
  retry: { ...endlessRetry, initialInterval: '200ms', maximumInterval: '5s' },
};

/** resolveImage: an image of gigabytes may have to be pulled. A person waits, so that a failure is told at once. */
export const resolving: ActivityOptions = {
  taskQueue: CENTRAL_QUEUE,
  startToCloseTimeout: PULL_MS,
  heartbeatTimeout,
  // Only a worker that died is replaced.
  retry: { maximumAttempts: 5, nonRetryableErrorTypes: ['ImageMissing', 'EngineUnavailable', 'Internal'] },
};

/**
 * deliverWebhook, sendEmail: one attempt takes seconds. A receiver that is down is tried again after 2 s, 4 s and so on, and from
 * the second hour on once an hour.
 */
export function delivering(patience: Duration): ActivityOptions {
  return {
    taskQueue: CENTRAL_QUEUE,
    scheduleToCloseTimeout: patience,
    startToCloseTimeout: '1m',
    heartbeatTimeout,
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1h' },
  };
}
