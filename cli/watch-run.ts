/** Follows a run on a screen to its end, and asks it to stop when the person does. */
import { followRun, type MusterApi } from '../client';
import type { Interrupts } from './interrupts';
import { messageOf } from './message-of';
import { advance, isOver, NOTHING_YET, type Progress } from './progress';
import type { Screen } from './terminal';

/**
 * Resolves once the run is over, or, when the person has forced it, with how it stood then.
 * @param lastEventId what came until then is left out, such as the end of a run that is retried now
 * @throws ApiProblem when the API does not let the run be followed
 */
export async function watchRun(
  api: Pick<MusterApi, 'openRunEvents' | 'stopRun'>,
  runId: string,
  screen: Screen,
  { asked, forced }: Pick<Interrupts, 'asked' | 'forced'>,
  lastEventId?: number,
): Promise<Progress> {
  const stop = () => {
    screen.line('Stopping the run. Press Ctrl-C again to end without waiting for its nodes.');
    api
      .stopRun({ path: { runId }, body: { reason: 'interrupted at the terminal' }, signal: forced })
      .catch((error: unknown) => {
        if (!forced.aborted) screen.line(`The run could not be asked to stop: ${messageOf(error)}`);
      });
  };
  asked.addEventListener('abort', stop, { once: true });
  if (asked.aborted) stop();
  let progress = NOTHING_YET;
  try {
    for await (const event of followRun(api, runId, {
      signal: forced,
      ...(lastEventId !== undefined && { lastEventId }),
    })) {
      screen.hear?.(event);
      progress = advance(progress, event);
      screen.show(progress);
      if (isOver(progress)) break;
    }
  } finally {
    asked.removeEventListener('abort', stop);
    screen.close();
  }
  return progress;
}
