/** The time that growing lengths are counted to: it moves every second, and stands still while the API is not heard. */
import { useSyncExternalStore } from 'react';
import { serverNow, serverTime } from './clock';
import { connection } from './connection';

let now = serverNow();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  const pulse = connection.get();
  const frozen = pulse.state === 'lost' && pulse.lastHeard !== undefined;
  now = frozen ? serverTime(pulse.lastHeard ?? 0) : serverNow();
  for (const listener of [...listeners]) listener();
}

function follow(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = serverNow();
    timer = setInterval(tick, 1_000);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** The server's time, to the second. */
export const useNow = (): number => useSyncExternalStore(follow, () => now);
