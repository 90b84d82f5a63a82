/** Follows what changes in what the caller may see, through restarts of the central API, without a gap. */
import { Change } from '../workflows/changes-contract';
import { followStream, type OpenStream, type StreamOptions } from './reconnect';

/** As much of an API as following changes needs. */
interface ChangeSource {
  openStream(path: string, signal: AbortSignal, lastEventId?: string): ReturnType<OpenStream>;
}

/**
 * The changes from now on, until `signal` is aborted or the caller leaves. The first one is `look-again`.
 * @throws ApiProblem when the API refuses, which trying again would not change.
 */
export async function* followChanges(api: ChangeSource, options: StreamOptions): AsyncGenerator<Change> {
  const open: OpenStream = (lastEventId, signal) => api.openStream('/api/events', signal, lastEventId);
  for await (const { data } of followStream(open, options)) {
    const change = Change.safeParse(JSON.parse(data));
    if (!change.success)
      throw new Error(
        'The central API told of a change that this version of Muster does not know: update the older one.',
        { cause: change.error },
      );
    yield change.data;
  }
}
