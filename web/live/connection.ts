/** Keeps a page in touch with the API: tries again, with growing pauses, and says at every moment whether it is heard. */
import { mayPass } from '../api/errors';
import { createStore } from '../store';

export type Connection =
  /** Nothing on the page is told as it happens. */
  | { state: 'none' }
  | { state: 'connecting' }
  | { state: 'live' }
  /** `lastHeard` is missing when nothing was ever heard. Times are this computer's. */
  | { state: 'lost'; lastHeard: number | undefined };

/** Of the page that is shown. */
export const connection = createStore<Connection>({ state: 'none' });

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Makes `attempt` again and again, however it ends, until `signal` says that nobody looks any more, or until it fails in a way
 * that no retry mends; that failure is thrown. The attempt calls `heard` for every sign of life.
 */
export async function stayConnected(
  attempt: (heard: () => void) => Promise<void>,
  onChange: (connection: Connection) => void,
  signal: AbortSignal,
): Promise<void> {
  let lastHeard: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let live = false;
  const isLeft = () => signal.aborted;
  const change = (now: Connection) => {
    if (!isLeft()) onChange(now);
  };
  change({ state: 'connecting' });
  const heard = () => {
    lastHeard = Date.now();
    pauseMs = FIRST_PAUSE_MS;
    if (!live) change({ state: 'live' });
    live = true;
  };
  while (!isLeft()) {
    try {
      await attempt(heard);
    } catch (error) {
      if (!isLeft() && !mayPass(error)) {
        change({ state: 'none' });
        throw error;
      }
    }
    live = false;
    change({ state: 'lost', lastHeard });
    await pause(pauseMs * (0.75 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Waits, no longer than anybody looks. */
const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, signal.aborted ? 0 : ms);
    signal.addEventListener('abort', done);
  });
