/** Something that is asked of the API once, and what becomes of it. */
import { useRef, useState } from 'react';
import { wordsOf } from '../api/errors';

export interface Action {
  isBusy: boolean;
  /** Why it did not work. */
  problem: string | undefined;
  /** Does it, unless it is being done already. */
  run: (work: () => Promise<unknown>) => void;
}

/** `failed` begins the sentence that says why it did not work. */
export function useAction(failed?: string): Action {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const busy = useRef(false);
  const run = (work: () => Promise<unknown>) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    setProblem(undefined);
    work()
      .catch((error: unknown) =>
        setProblem(failed === undefined ? wordsOf(error) : `${failed} ${wordsOf(error)}`),
      )
      .finally(() => {
        busy.current = false;
        setBusy(false);
      });
  };
  return { isBusy, problem, run };
}
