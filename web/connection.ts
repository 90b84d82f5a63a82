/** Keeps a page in touch with the API: tries again, with growing pauses, and says at every moment whether it is heard. */
import { ApiError, Unreachable } from './api';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `lastHeard` is missing when nothing was ever heard. Times are this computer's. */
  | { state: 'lost'; lastHeard: number | undefined };

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Makes `attempt` again and again, however it ends, until it fails in a way that no retry mends; that failure is thrown.
 * The attempt calls `heard` for every sign of life.
 */
export async function stayConnected(
  attempt: (heard: () => void) => Promise<void>,
  onChange: (connection: Connection) => void,
): Promise<never> {
  let lastHeard: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let live = false;
  onChange({ state: 'connecting' });
  const heard = () => {
    lastHeard = Date.now();
    pauseMs = FIRST_PAUSE_MS;
    if (!live) onChange({ state: 'live' });
    live = true;
  };
  for (;;) {
    try {
      await attempt(heard);
    } catch (error) {
      if (isFinal(error)) throw error;
    }
    live = false;
    onChange({ state: 'lost', lastHeard });
    await pause(pauseMs * (0.75 + Math.random() / 2));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Waits. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Whatever is neither a broken connection nor a passing trouble of the API would be the same the next time. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError ? !error.mayPass : !(error instanceof Unreachable);
}
