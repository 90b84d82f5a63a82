/** What the exit code of `muster` says. docs/cli.md lists them. */
export const FAILED = 1;
/** The command was not understood, or cannot be done as asked: nothing was done. */
export const MISUSED = 2;
/** Whoever asked is not signed in, or may not do it. */
export const NOT_ALLOWED = 3;
/** No answer came from the central API. */
export const UNREACHABLE = 4;
/** A person pressed Ctrl-C before it was done. */
export const INTERRUPTED = 130;

/** For `--help`. */
export const EXIT_CODES = `Exit codes:
  0    done; of a run: complete
  1    failed
  2    not understood, or not possible as asked: nothing was done
  3    not signed in, or not allowed
  4    the central API does not answer
  130  interrupted`;
