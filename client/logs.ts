/** Follows a node's log through restarts of the central API, without a gap and without saying anything twice. */
import { LogMessage } from '../workflows/api-contract';
import { followStream, numberOf, streamOptions, type FollowOptions, type OpenStream } from './reconnect';

/** As much of an API as following a log needs. */
interface LogSource {
  openNodeLogEvents(
    runId: string,
    node: string,
    launchId: string | undefined,
    lastEventId: number | undefined,
    signal: AbortSignal,
  ): ReturnType<OpenStream>;
}

/** Which log is meant; without a launch that of the current one. */
export interface LogOf {
  runId: string;
  node: string;
  launchId?: string | undefined;
}

/**
 * The text of a node's log, what there is and what is to come, until the node has ended and all was read.
 * @throws ApiProblem when the API refuses, which trying again would not change.
 */
export async function* followLog(
  api: LogSource,
  { runId, node, launchId }: LogOf,
  options: FollowOptions,
): AsyncGenerator<string> {
  const open: OpenStream = (lastEventId, signal) =>
    api.openNodeLogEvents(runId, node, launchId, numberOf(lastEventId), signal);
  for await (const { data } of followStream(open, streamOptions(options))) {
    const message = LogMessage.parse(JSON.parse(data));
    if ('end' in message) return;
    yield message.text;
  }
}
