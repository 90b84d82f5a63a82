/** Follows a run's events through restarts of the central API, without a gap and without saying anything twice. */
import { z } from 'zod';
import { ErrorEntry, RunEvent } from '../workflows/api-contract';
import { NodeView, RunView } from '../workflows/contract';
import { followStream, numberOf, streamOptions, type FollowOptions, type OpenStream } from './reconnect';

/** As much of an API as following a run needs. */
export interface RunSource {
  openRunEvents(runId: string, lastEventId: number | undefined, signal: AbortSignal): ReturnType<OpenStream>;
}

/** A {@link RunEvent} with its data understood. */
const FollowedEvent = z.discriminatedUnion('type', [
  RunEvent.extend({ type: z.literal('run'), data: RunView }),
  RunEvent.extend({ type: z.literal('node'), data: NodeView }),
  RunEvent.extend({ type: z.literal('error'), data: ErrorEntry }),
  RunEvent.extend({ type: z.enum(['CentralClientStartRun', 'EdgeClientStartRun']) }),
]);
export type FollowedEvent = z.output<typeof FollowedEvent>;

/**
 * The events of a run, from the first or from after `lastEventId`, until `signal` is aborted or the caller leaves.
 * @throws ApiProblem when the API refuses, which trying again would not change.
 */
export async function* followRun(
  api: RunSource,
  runId: string,
  options: FollowOptions,
): AsyncGenerator<FollowedEvent> {
  let last = options.lastEventId;
  const open: OpenStream = (lastEventId, signal) => api.openRunEvents(runId, numberOf(lastEventId), signal);
  for await (const { data } of followStream(open, streamOptions(options))) {
    const event = readEvent(data);
    if (last !== undefined && event.id <= last) continue;
    last = event.id;
    yield event;
  }
}

function readEvent(data: string): FollowedEvent {
  try {
    return FollowedEvent.parse(JSON.parse(data));
  } catch (error) {
    throw new Error(
      'The central API sent an event that this version of Muster does not know: update the older one.',
      {
        cause: error,
      },
    );
  }
}
