/** How a run learns that someone has reset it in Temporal. */
// eslint-disable-next-line no-restricted-imports -- there is no public way to ask; the tests that reset runs hold it to its word
import { getActivator } from '@temporalio/workflow/lib/global-attributes';

const source = () => getActivator().random;
/** As this module is loaded for each run before anything happens to it. */
const atFirst = source();

/** Whether the run was reset to its very begin. */
export const wasResetToBegin = (): boolean => source() !== atFirst;

/**
 * Answers, from the moment of a reset on, that there was one since this was called. A reset copies what has happened before
 * it and says nothing of itself, but for one thing: from there on the run has another source of random numbers. It gets it
 * before anything else, so that no signal that is given to the run again comes first; and a replay gets it at the same place.
 */
export function watchForReset(): () => boolean {
  const before = source();
  return () => source() !== before;
}
