/** What the exit code of `muster` says. */
export const FAILED = 1;
/** The command was not understood: nothing was done. */
export const MISUSED = 2;
/** A person pressed Ctrl-C before it was done. */
export const INTERRUPTED = 130;
