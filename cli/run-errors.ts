/** The failures of a run for a person: when, where, what, and whose turn it is. */
import type { MusterApi } from '../client';
import type { ErrorEntry } from '../workflows/api-contract';
import { plain } from './progress';

/** All of them, however many pages they are. */
export async function allErrors(
  api: Pick<MusterApi, 'listErrors'>,
  runId: string,
  only: { node?: string; type?: string },
): Promise<ErrorEntry[]> {
  const found: ErrorEntry[] = [];
  let after: string | undefined;
  do {
    const page = await api.listErrors({
      path: { runId },
      query: { ...only, ...(after !== undefined && { after }) },
    });
    found.push(...page.errors);
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** Some lines for each failure; one line if there was none. */
export function describeErrors(entries: readonly ErrorEntry[]): string[] {
  if (entries.length === 0) return ['No failures.'];
  return entries.flatMap(({ node, type, phase, message, turn, advice, count, firstAt, lastAt, retrying }) => {
    const when = new Date(firstAt).toISOString();
    const often = count === 1 ? '' : `, ${count} times until ${new Date(lastAt).toISOString()}`;
    const [first = '', ...more] = message.split('\n').map(plain);
    return [
      `${when}  ${node}  ${type} in ${phase}${often}${retrying ? ', being tried again' : ''}`,
      ...[first, ...more].map((line) => `  ${line}`),
      `  -> ${plain(turn)}: ${plain(advice)}`,
    ];
  });
}
