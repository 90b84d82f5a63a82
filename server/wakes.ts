/** How parts of this process wake each other: whoever waits learns that something has happened, not what. */
import { EventEmitter } from 'node:events';

export interface Listener {
  /** Resolves when it has been rung since the last time, and at the latest after `ms` or when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface Wakes {
  ring(name: string): void;
  listen(name: string): Listener;
}

export function createWakes(): Wakes {
  const bells = new EventEmitter().setMaxListeners(0);
  return {
    ring: (name) => void bells.emit(bell(name)),
    listen: (name) => listen(bells, bell(name)),
  };
}

/** A run may be called `error`, which an emitter takes for more than a name. */
const bell = (name: string) => `changed ${name}`;

function listen(bells: EventEmitter, name: string): Listener {
  let missed = false;
  const ring = () => (missed = true);
  bells.on(name, ring);
  return {
    async wait(ms, signal) {
      if (!missed && !signal.aborted)
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            bells.off(name, done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          const timer = setTimeout(done, ms);
          bells.on(name, done);
          signal.addEventListener('abort', done);
        });
      missed = false;
    },
    close: () => void bells.off(name, ring),
  };
}
