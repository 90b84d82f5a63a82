/** A consortium's revision as an ETag, by which whoever changes it says what they have looked at. */
import { HttpProblem } from '../problem';

export const tagOf = ({ revision }: { revision: number }): string => `"r${revision}"`;

/**
 * The revision that an `If-Match` names; `undefined` if it is any. What is no tag of ours matches none.
 * @throws HttpProblem where it is missing
 */
export function mustBeMeant(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined)
    throw new HttpProblem('precondition-needed', 'Send the ETag of what you have looked at as If-Match.');
  if (ifMatch.trim() === '*') return undefined;
  const [, revision] = /^"r(\d{1,9})"$/.exec(ifMatch.trim()) ?? [];
  return revision === undefined ? 0 : Number(revision);
}
