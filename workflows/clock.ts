/** The only place where workflow code asks for the time: inside a workflow, Temporal makes it the same on replay. */

/** Workflow time in milliseconds since the epoch. */
export function now(): number {
  // eslint-disable-next-line no-restricted-globals -- deterministic in the workflow sandbox, and kept to this line.
  return Date.now();
}
