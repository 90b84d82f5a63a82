/** Ctrl-C in two steps: the first one asks to end in order, the second one to end now. Being told to end counts the same. */
export interface Interrupts {
  /** Aborted by the first. */
  asked: AbortSignal;
  /** Aborted by the second. */
  forced: AbortSignal;
  /** Gives the signals back to whoever had them. */
  close(): void;
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The person wants to end what runs. */
export class InterruptedError extends Error {
  override name = 'InterruptedError';
  constructor() {
    super('Interrupted.');
  }
}

/** Listens for both steps from now on. A third one ends the process at once. */
export function listenForInterrupts(): Interrupts {
  const steps = [new AbortController(), new AbortController()] as const;
  let heard = 0;
  const hear = () => {
    const step = steps[heard++];
    if (step === undefined) process.exit(1);
    step.abort(new InterruptedError());
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  return {
    asked: steps[0].signal,
    forced: steps[1].signal,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, hear);
    },
  };
}
