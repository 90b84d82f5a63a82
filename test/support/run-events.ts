import { followRun, type MusterApi, type FollowedEvent } from '../../client';

/** Everything that has been told of a run, as somebody gets it who follows it. */
export async function everyEventOf(
  api: MusterApi,
  runId: string,
  lastEventId: number,
): Promise<FollowedEvent[]> {
  const leave = new AbortController();
  const events: FollowedEvent[] = [];
  for await (const event of followRun(api, runId, { signal: leave.signal })) {
    events.push(event);
    if (event.id >= lastEventId) break;
  }
  leave.abort();
  return events;
}
